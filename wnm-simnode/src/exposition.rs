//! Writes OpenMetrics text: families with help and type, samples, histograms and the EOF marker.

use std::fmt::{Display, Write};

/// A page builder.
#[derive(Default)]
pub(crate) struct Page(String);

impl Page {
    /// Starts a family. `kind` is `counter`, `gauge`, `histogram` or `info`.
    pub(crate) fn family(&mut self, name: &str, kind: &str, help: &str) -> &mut Self {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
        if let Some((_, unit)) = name.rsplit_once('_').filter(|(_, u)| is_unit(u)) {
            self.line(format_args!("# UNIT {name} {unit}"));
        }
        self
    }

    /// Adds a sample without labels.
    pub(crate) fn sample(&mut self, name: &str, value: impl Display) -> &mut Self {
        self.line(format_args!("{name} {value}"));
        self
    }

    /// Adds a sample with labels. `labels` is the text between the braces.
    pub(crate) fn labelled(&mut self, name: &str, labels: &str, value: impl Display) -> &mut Self {
        self.line(format_args!("{name}{{{labels}}} {value}"));
        self
    }

    /// Adds a family with one gauge.
    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help).sample(name, value);
    }

    /// Adds a family with one counter. Its sample has the suffix `_total`.
    pub(crate) fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "counter", help)
            .sample(&format!("{name}_total"), value);
    }

    /// Adds an info family with one sample and one label of the same name.
    pub(crate) fn info(&mut self, prefix: &str, label: &str, help: &str, value: &str) {
        let name = format!("{prefix}_{label}");
        self.family(&name, "info", help).labelled(
            &format!("{name}_info"),
            &format!("{label}=\"{value}\""),
            1,
        );
    }

    /// Adds the samples of a histogram with `count` values around `mean`. All values are below `mean` or in the
    /// first bucket above it.
    pub(crate) fn histogram(
        &mut self,
        name: &str,
        labels: &str,
        bounds: &[f64],
        count: u64,
        mean: f64,
    ) {
        let braced = match labels {
            "" => String::new(),
            labels => format!("{{{labels}}}"),
        };
        let sum = mean * count as f64;
        self.line(format_args!("{name}_sum{braced} {sum:?}"));
        self.line(format_args!("{name}_count{braced} {count}"));
        let comma = if labels.is_empty() { "" } else { "," };
        for bound in bounds {
            let share = (bound / mean.max(f64::MIN_POSITIVE)).min(1.0);
            let below = (count as f64 * share) as u64;
            self.line(format_args!(
                "{name}_bucket{{le=\"{bound:?}\"{comma}{labels}}} {below}"
            ));
        }
        self.line(format_args!(
            "{name}_bucket{{le=\"+Inf\"{comma}{labels}}} {count}"
        ));
    }

    /// Ends the page and returns its text.
    pub(crate) fn finish(mut self) -> String {
        self.line(format_args!("# EOF"));
        self.0
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        writeln!(self.0, "{line}").ok();
    }
}

/// A family whose name ends with a unit must declare the unit.
fn is_unit(word: &str) -> bool {
    matches!(word, "bytes" | "seconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_is_openmetrics() {
        let mut page = Page::default();
        page.info("ant_node", "antnode_version", "Version.", "0.4.17");
        page.gauge("uptime", "Uptime.", 30);
        page.counter("sent_bytes", "Sent.", 7);
        page.family("took_seconds", "histogram", "Time.");
        page.histogram("took_seconds", "kind=\"a\"", &[0.5, 2.0], 4, 1.0);
        insta::assert_snapshot!(page.finish(), @r#"
        # HELP ant_node_antnode_version Version.
        # TYPE ant_node_antnode_version info
        ant_node_antnode_version_info{antnode_version="0.4.17"} 1
        # HELP uptime Uptime.
        # TYPE uptime gauge
        uptime 30
        # HELP sent_bytes Sent.
        # TYPE sent_bytes counter
        # UNIT sent_bytes bytes
        sent_bytes_total 7
        # HELP took_seconds Time.
        # TYPE took_seconds histogram
        # UNIT took_seconds seconds
        took_seconds_sum{kind="a"} 4.0
        took_seconds_count{kind="a"} 4
        took_seconds_bucket{le="0.5",kind="a"} 2
        took_seconds_bucket{le="2.0",kind="a"} 4
        took_seconds_bucket{le="+Inf",kind="a"} 4
        # EOF
        "#);
    }
}
