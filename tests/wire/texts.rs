//! The texts of `cases/json.txt`.

/// A text, and whether it is JSON.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// Its line in the file.
    pub(crate) line: usize,
    /// The section of RFC 8259.
    pub(crate) section: String,
    pub(crate) is_json: bool,
    pub(crate) bytes: Vec<u8>,
}

/// Reads the texts of a file: `SECTION | yes or no | text`, in which `@hex@` stands for bytes and `@text*N@` for a text N times.
pub(crate) fn texts(file: &str) -> Vec<Text> {
    let is_case = |line: &str| !line.is_empty() && !line.starts_with('#');
    file.lines().enumerate().filter(|(_, line)| is_case(line)).map(|(at, line)| text(at + 1, line)).collect()
}

fn text(line: usize, text: &str) -> Text {
    let mut parts = text.splitn(3, '|').map(str::trim_start);
    let mut part = || parts.next().unwrap_or_else(|| panic!("line {line} is no case: {text}"));
    let (section, verdict, sent) = (part().trim_end().to_owned(), part().trim_end(), part());
    let is_json = match verdict {
        "yes" => true,
        "no" => false,
        other => panic!("line {line}: neither yes nor no: {other}"),
    };
    Text { line, section, is_json, bytes: bytes(sent) }
}

fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, part) in text.split('@').enumerate() {
        if at % 2 == 0 {
            bytes.extend(part.bytes());
        } else if let Some((text, times)) = part.rsplit_once('*') {
            bytes.extend(text.repeat(times.parse().expect("a number behind `*`")).bytes());
        } else {
            let digits = part.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).expect("hex"));
            bytes.extend(digits.map(|two| u8::from_str_radix(two, 16).unwrap_or_else(|_| panic!("no hex: {part}"))));
        }
    }
    bytes
}
