//! The picture of the growth.

use std::path::Path;

use plotters::prelude::*;

use crate::Series;

const SIZE: (u32, u32) = (760, 460);

const COLOURS: [RGBColor; 6] = [
    RGBColor(0x88, 0x88, 0x88),
    RGBColor(0x1f, 0x77, 0xb4),
    RGBColor(0xd6, 0x27, 0x28),
    RGBColor(0x2c, 0xa0, 0x2c),
    RGBColor(0x94, 0x67, 0xbd),
    RGBColor(0xff, 0x7f, 0x0e),
];

/// Draws all of them into one picture with logarithmic axes.
pub fn draw(to: &Path, all: &[Series]) {
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    let area = SVGBackend::new(to, SIZE).into_drawing_area();
    area.fill(&WHITE).unwrap();
    let mut chart = ChartBuilder::on(&area)
        .margin(14)
        .x_label_area_size(38)
        .y_label_area_size(64)
        .build_cartesian_2d(
            (80f64..30_000f64).log_scale(),
            (0.001f64..5000f64).log_scale(),
        )
        .unwrap();
    chart
        .configure_mesh()
        .x_desc("nodes")
        .y_desc("milliseconds, median of five")
        .x_label_formatter(&|nodes| format!("{nodes:.0}"))
        .y_label_formatter(&|took| format!("{took}"))
        .light_line_style(WHITE)
        .draw()
        .unwrap();
    for (series, colour) in all.iter().zip(COLOURS) {
        let points: Vec<(f64, f64)> = series
            .points
            .iter()
            .map(|(count, took)| (f64::from(*count), took.as_secs_f64() * 1e3))
            .collect();
        let line = LineSeries::new(points.clone(), colour.stroke_width(2)).point_size(3);
        chart
            .draw_series(line)
            .unwrap()
            .label(format!("{} (slope {:.2})", series.name, series.slope()))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE)
        .border_style(BLACK.mix(0.3))
        .draw()
        .unwrap();
    area.present().unwrap();
}
