//! A clock that jumps. A test cannot set the machine's clock, but shifting all stored times the other way has the same
//! effect on a program that compares them.

use wnm_tests::database::Database;

/// The columns with times.
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

/// The times of the last cycle and of its measurements, stored for the next one.
const STATE: [&str; 2] = ["$.last_cycle_at", "$.counters.at"];

/// Moves the clock forward by so many seconds.
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

/// Lets time pass: the same without the measurements of the last cycle, which would be costly to repeat.
pub fn passed(database: &Database, by: i64) {
    for (table, columns) in TIMES {
        let columns = columns.iter();
        let moved: Vec<String> = columns
            .map(|column| format!("{column} = {column} - ({by})"))
            .collect();
        database.execute(&format!("UPDATE {table} SET {}", moved.join(", ")));
    }
}
