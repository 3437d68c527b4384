-- The tables of the help desk. Safe to run at every start.

CREATE TABLE IF NOT EXISTS categories (
    code       TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    priority   INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 3),
    is_default INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS keywords (
    word     TEXT NOT NULL,
    category TEXT NOT NULL REFERENCES categories (code),
    weight   NUMERIC NOT NULL CHECK (weight > 0),
    PRIMARY KEY (word, category)
);

-- A mail with one of these has priority 1, whatever its category.
CREATE TABLE IF NOT EXISTS urgent_words (
    word TEXT PRIMARY KEY
);

INSERT OR IGNORE INTO urgent_words (word) VALUES
    ('urgent'), ('urgently'), ('immediately'), ('emergency'), ('asap'), ('stolen');

CREATE TABLE IF NOT EXISTS tickets (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    customer TEXT NOT NULL,
    channel  TEXT NOT NULL,
    text     TEXT NOT NULL,
    category TEXT NOT NULL,
    priority INTEGER NOT NULL,
    score    TEXT NOT NULL,
    opened   TEXT NOT NULL,                                       -- YYYYMMDD
    status   TEXT NOT NULL DEFAULT 'O' CHECK (status IN ('O', 'C')) -- open, closed
);
