//! A clock that jumps. Nothing here can set the machine's; but for who goes by stored times it comes to the same
//! when all of those are moved the other way.

use wnm_tests::database::Database;

/// The columns with a time in them.
const TIMES: [(&str, &[&str]); 3] = [
    (
        "node",
        &[
            "timestamp",
            "age",
            "desired_since",
            "observed_at",
            "transition_since",
            "last_start",
        ],
    ),
    ("machine", &["last_stopped_at"]),
    ("wnm_event", &["at"]),
];

/// What the last cycle left for the next, where the figures it measured have their times.
const STATE: [&str; 2] = ["$.last_cycle_at", "$.counters.at"];

/// Moves the clock so many seconds ahead.
pub fn moved(database: &Database, by: i64) {
    for path in STATE {
        let time = format!("json_extract(value, '{path}')");
        database.execute(&format!(
            "UPDATE wnm_state SET value = json_set(value, '{path}', {time} - ({by})) \
             WHERE {time} IS NOT NULL"
        ));
    }
    passed(database, by);
}

/// Lets time pass: the same without the figures of the last cycle, which would be taken anew at a cost.
pub fn passed(database: &Database, by: i64) {
    for (table, columns) in TIMES {
        let columns = columns.iter();
        let moved: Vec<String> = columns
            .map(|column| format!("{column} = {column} - ({by})"))
            .collect();
        database.execute(&format!("UPDATE {table} SET {}", moved.join(", ")));
    }
}
