"""The old client: python client.py --url http://127.0.0.1:8701/helpdesk [TEXT | --from FILE]"""

import argparse
import csv
import sys
import time
from collections import Counter
from typing import Any

import zeep
from zeep.exceptions import Error

CHANNELS = "PMWA"


def main() -> int:
    arguments = _arguments()
    connect: Any = zeep.Client
    service = connect(arguments.url + "?wsdl").service
    if arguments.text:
        answer = service.TriageTicket(customer="4711", channel="W", text=arguments.text)
        print(f"{answer.category}, priority {answer.priority}, score {answer.score}")
        return 0
    with open(arguments.file, encoding="utf-8", newline="") as stream:
        texts = [row["text"] for row in csv.DictReader(stream)]
    started = time.monotonic()
    outcomes = Counter(_send(service, n, texts[n % len(texts)]) for n in range(arguments.count))
    seconds = time.monotonic() - started
    print(f"{outcomes['answered']} answered, {outcomes['failed']} failed, {seconds:.1f} s")
    return 1 if outcomes["failed"] else 0


def _send(service: Any, number: int, text: str) -> str:
    call = {"customer": f"C{number:05d}", "channel": CHANNELS[number % 4], "text": text}
    try:
        service.TriageTicket(**call)
        if number % 5 == 0:
            service.SubmitTicket(**call)
    except (Error, OSError) as error:
        print(f"call {number}: {error}", file=sys.stderr)
        return "failed"
    return "answered"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Send messages to the help desk.")
    parser.add_argument("text", nargs="?", help="one message; its answer is printed")
    parser.add_argument("--url", default="http://127.0.0.1:8701/helpdesk")
    parser.add_argument("--from", dest="file", help="a CSV with a column text")
    parser.add_argument("--count", type=int, default=100, help="how many to send, from the top")
    arguments = parser.parse_args()
    if bool(arguments.text) == bool(arguments.file):
        parser.error("give one message, or --from FILE")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
