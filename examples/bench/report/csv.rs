//! A record as CSV: a line for each case (RFC 4180).

use super::advice;
use super::data::{Record, unit_name};

/// The columns.
const HEADER: &str =
    "op,type,n,residency,backend,chose,median_s,least_s,low_s,high_s,samples,speed,unit,times_std,bytes,verified,gpu_clock_s";

/// The whole record. `low_s` to `high_s` is the 95% interval of the median.
pub(crate) fn csv(record: &Record) -> String {
    let groups = advice::groups(record);
    let mut lines = vec![HEADER.to_owned()];
    for case in &record.cases {
        let group = groups.iter().find(|g| (g.op, g.ty, g.residency) == (&*case.op, &*case.ty, &*case.residency));
        let interval = case.interval();
        let figure = |figure: Option<f64>| figure.filter(|x| x.is_finite()).map_or(String::new(), |x| format!("{x:e}"));
        let fields = [
            case.op.clone(),
            case.ty.clone(),
            case.n.to_string(),
            case.residency.clone(),
            case.backend.clone(),
            case.chose.clone().unwrap_or_default(),
            figure(Some(case.median)),
            figure(Some(case.least)),
            figure(interval.map(|interval| interval.low)),
            figure(interval.map(|interval| interval.high)),
            case.seconds.len().to_string(),
            figure(case.speed(case.median)),
            unit_name(case.unit).to_owned(),
            figure(group.filter(|_| case.verified).and_then(|group| group.to_std(case))),
            case.bytes.map_or(String::new(), |bytes| bytes.to_string()),
            case.verified.to_string(),
            figure(case.by_gpu),
        ];
        lines.push(fields.map(|text| field(&text)).join(","));
    }
    lines.join("\r\n") + "\r\n"
}

/// In quotes if it has to be.
fn field(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
