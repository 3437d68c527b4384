"""What ``fig review --stats`` shows: who reviewed how much, and whether they agree."""

from __future__ import annotations

from rich.markup import escape

from ..routing.adjudication.agreement import Agreement, agreement
from ..routing.adjudication.judging import judgements
from ..store.reviews import Reviews
from ..store.store import Store
from .screen import Screen

__all__ = ["stats"]


def stats(
    screen: Screen,
    store: Store,
    reviews: Reviews,
    endpoint: str,
    revision: str,
    agreeing: int,
    *,
    as_json: bool,
) -> None:
    """Show the reviews of an endpoint's revision."""
    said = {
        one.unit: one.choice
        for one in judgements(store, endpoint, revision)
        if not one.failed and one.choice != "unsure"
    }
    found = agreement(reviews.all(), said, agreeing)
    waiting = len(reviews.queue())
    if as_json:
        screen.json({"waiting": waiting, **_plain(found)})
        return
    rows = [
        [escape(name), str(count), str(found.unsure.get(name, 0))]
        for name, count in sorted(found.reviews.items())
    ]
    screen.table(["reviewer", ">reviewed", ">unsure"], rows, title=escape(endpoint))
    screen.say(f"{waiting} wait; {found.units} were decided on by somebody")
    screen.say(f"{found.shared} were seen by several: {found.same} with one answer")
    screen.say(f"Cohen's kappa {_figure(found.kappa)}, Krippendorff's alpha {_figure(found.alpha)}")
    screen.say(f"the judge agrees with people in {found.judge_same} of {found.judged}")


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _plain(found: Agreement) -> dict[str, object]:
    return {name: getattr(found, name) for name in found.__struct_fields__}
