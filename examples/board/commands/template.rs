//! A word of a command line, with places for arguments: `--level={level}`. What is put there stays within the word.

/// A word and the arguments in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Argument(String),
}

impl Template {
    /// Reads a word. Braces around anything but a name stand for themselves.
    pub(crate) fn parse(word: &str) -> Self {
        let mut parts = Vec::new();
        let (mut text, mut rest) = (String::new(), word);
        while let Some(open) = rest.find('{') {
            let (before, from) = rest.split_at(open);
            text.push_str(before);
            rest = &from[1..];
            if let Some((name, behind)) = rest.split_once('}').filter(|(name, _)| is_name(name)) {
                parts.push(Part::Text(std::mem::take(&mut text)));
                parts.push(Part::Argument(name.to_owned()));
                rest = behind;
            } else {
                text.push('{');
            }
        }
        text.push_str(rest);
        parts.push(Part::Text(text));
        parts.retain(|part| *part != Part::Text(String::new()));
        Self(parts)
    }

    /// The arguments in it.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Argument(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The argument with which it begins, if it begins with one.
    pub(crate) fn first(&self) -> Option<&str> {
        match self.0.first() {
            Some(Part::Argument(name)) => Some(name),
            _ => None,
        }
    }

    /// The word, if it is the same whatever the arguments are.
    pub(crate) fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The word with the values of its arguments; none where one of them was not given.
    pub(crate) fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
        let texts = self.0.iter().map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Argument(name) => value(name),
        });
        texts.collect()
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}
