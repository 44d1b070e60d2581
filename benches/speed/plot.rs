//! What CPU each server takes, as a picture: bars, as multiples of the floor's.

use std::fmt::Write;

use crate::report::Report;
use crate::servers::Server;
use crate::table::time;
use crate::workload::Kind;

/// Bars end here, with their figure beside them, where they would be longer.
const MOST: f64 = 8.0;
const LEFT: f64 = 270.0;
const WIDTH: f64 = 900.0;
/// For the figures beside the longest bars.
const RIGHT: f64 = 130.0;
const TOP: f64 = 76.0;
const BAR: f64 = 13.0;
const GAP: f64 = 12.0;
const COLOURS: [(Server, &str); 3] = [(Server::Ours, "#0b7285"), (Server::Hyper, "#adb5bd"), (Server::Rmcp, "#e8590c")];

/// Texts stand out from the lines below them.
const TEXTS: &str = "text { fill: #212529; stroke: #ffffff; stroke-width: 3px; paint-order: stroke }";

/// The picture.
pub(crate) fn render(report: &Report) -> String {
    let bars = |servers: usize| servers as f64 * (BAR + 1.0) + GAP;
    // The floor has no bar: it is the line at 1.
    // Of a start most is not the server's work, and so the floor's start is none.
    let rows: Vec<_> = report.rows.iter().filter(|(workload, _)| workload.kind != Kind::Start).collect();
    let height = TOP + rows.iter().map(|(_, all)| bars(all.len() - 1)).sum::<f64>() + 48.0;
    let mut svg = String::new();
    write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<style>{TEXTS}</style>\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    )
    .expect("a string takes all");
    text(
        &mut svg,
        16.0,
        24.0,
        "start",
        "CPU time of the server, as a multiple of what a raw epoll loop takes (1 = the kernel alone)",
    );
    legend(&mut svg);
    grid(&mut svg, height);
    let mut y = TOP;
    for (workload, all) in rows {
        let rows = all.len() - 1;
        let middle = y + (rows as f64 * (BAR + 1.0)) / 2.0 + 4.0;
        text(&mut svg, LEFT - 10.0, middle, "end", &workload.title().replace('`', ""));
        for (server, colour) in COLOURS {
            let Some((figures, floor)) = report.find(workload.name, server) else { continue };
            bar(&mut svg, y, colour, figures.ratio(floor), &time(figures.cpu_ns_each()));
            y += BAR + 1.0;
        }
        y += GAP;
    }
    for (line, up) in report.machine.splitn(2, "; ").zip([26.0, 10.0]) {
        text(&mut svg, 16.0, height - up, "start", line);
    }
    svg + "</svg>\n"
}

fn x(ratio: f64) -> f64 {
    LEFT + ratio / MOST * (WIDTH - LEFT - RIGHT)
}

fn bar(svg: &mut String, y: f64, colour: &str, ratio: f64, cpu: &str) {
    let end = x(ratio.min(MOST));
    writeln!(svg, "<rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"{colour}\"/>", end - LEFT)
        .expect("a string takes all");
    if ratio > MOST {
        let (from, to) = (end - 14.0, end - 10.0);
        let (foot, head) = (y + BAR + 1.0, y - 1.0);
        writeln!(
            svg,
            "<path d=\"M{from:.1} {foot:.1}L{to:.1} {head:.1}M{:.1} {foot:.1}L{:.1} {head:.1}\" stroke=\"#ffffff\" stroke-width=\"2\"/>",
            from + 5.0,
            to + 5.0
        )
        .expect("a string takes all");
    }
    text(svg, end + 5.0, y + BAR - 2.5, "start", &format!("{ratio:.2} ({cpu})"));
}

fn legend(svg: &mut String) {
    let mut left = LEFT;
    for (server, colour) in COLOURS {
        writeln!(svg, "<rect x=\"{left}\" y=\"38\" width=\"12\" height=\"12\" fill=\"{colour}\"/>")
            .expect("a string takes all");
        text(svg, left + 17.0, 48.0, "start", server.name());
        left += 120.0;
    }
}

fn grid(svg: &mut String, height: f64) {
    for ratio in [1.0, 2.0, 4.0, 6.0, 8.0] {
        let (at, foot) = (x(ratio), height - 44.0);
        let (colour, dashes) = if ratio > 1.0 { ("#dee2e6", "") } else { ("#212529", " stroke-dasharray=\"4 3\"") };
        writeln!(svg, "<path d=\"M{at:.1} {:.1}V{foot:.1}\" stroke=\"{colour}\"{dashes}/>", TOP - 8.0)
            .expect("a string takes all");
        text(svg, at, TOP - 11.0, "middle", &format!("{ratio:.0}"));
    }
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>")
        .expect("a string takes all");
}
