mod fixtures;
mod packing;
mod python_rows;
mod records;
mod refusals;
mod round_trip;
mod samples;
mod views;
