use anstyle::{AnsiColor, Style};
use wnm_core::cycle::CycleReport;
use wnm_core::node::{Node, Status};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Begins a scene.
pub fn title(text: &str) {
    anstream::println!("\n{BOLD}{text}{BOLD:#}");
}

/// Something that happened outside of a cycle.
pub fn note(text: &str) {
    anstream::println!("           {DIM}{text}{DIM:#}");
}

/// One cycle: a mark per node, the word for it, and what was done and why.
pub fn cycle(report: &CycleReport) {
    let marks: Vec<String> = report.nodes.iter().map(mark).collect();
    let cpu = report.snapshot.load.cpu.get();
    anstream::println!(
        "  cpu {cpu:>3.0} %  {}  {}",
        marks.join(" "),
        report.status.as_str()
    );
    for result in &report.results {
        let step = &result.step;
        let error = result
            .error
            .as_ref()
            .map(|e| format!(" ({e})"))
            .unwrap_or_default();
        anstream::println!(
            "           {:<8} {}  {DIM}{}{error}{DIM:#}",
            step.act.word(),
            step.node.directory_name(),
            step.reason
        );
    }
}

/// What the marks mean.
pub fn legend() {
    let kinds = [
        Status::Running,
        Status::Restarting,
        Status::Upgrading,
        Status::Stopped,
    ];
    let legend: Vec<String> = kinds
        .into_iter()
        .map(|status| {
            let (symbol, style) = appearance(status);
            format!(
                "{style}{symbol}{style:#} {}",
                status.as_str().to_lowercase()
            )
        })
        .collect();
    anstream::println!("  {}", legend.join("   "));
}

fn mark(node: &Node) -> String {
    let (symbol, style) = appearance(node.status());
    format!("{style}{symbol}{style:#}")
}

fn appearance(status: Status) -> (char, Style) {
    let coloured = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
    match status {
        Status::Running => ('●', coloured(AnsiColor::Green)),
        Status::Restarting => ('◐', coloured(AnsiColor::Yellow)),
        Status::Upgrading => ('▲', coloured(AnsiColor::Cyan)),
        Status::Stopped | Status::Stopping => ('○', coloured(AnsiColor::White)),
        Status::Removing | Status::Dead => ('×', coloured(AnsiColor::Red)),
        Status::Disabled | Status::Migrating | Status::Unknown => ('?', DIM),
    }
}
