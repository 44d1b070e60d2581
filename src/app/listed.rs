//! The entries of `tools/list`, as they go out.

use super::Tool;
use crate::json::Writer;

/// The entry of each tool, rendered once, when the server is bound: a schema is a tree, and to render it costs twenty times what it costs to send it.
/// A tool that is not offered has none.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    text: Box<[u8]>,
    /// Where each entry ends, and the next begins.
    ends: Box<[usize]>,
}

impl Listed {
    /// Those of the tools that are offered.
    pub(crate) fn of(tools: &[Tool], is_offered: impl Fn(usize) -> bool) -> Self {
        let mut end = 0;
        let bytes = |(at, tool)| if is_offered(at) { text_bytes(tool) } else { 0 };
        let ends: Box<[usize]> = tools
            .iter()
            .enumerate()
            .map(bytes)
            .map(|bytes| {
                end += bytes;
                end
            })
            .collect();
        let mut text = vec![0; end].into_boxed_slice();
        let mut w = Writer::new(&mut text);
        let mut start = 0;
        for (tool, end) in tools.iter().zip(&ends) {
            if start < *end {
                tool.write(&mut w);
            }
            start = *end;
        }
        Self { text, ends }
    }

    /// The bytes that it takes at most, whatever is offered.
    pub(crate) fn bytes_max(tools: &[Tool]) -> usize {
        tools.iter().map(|tool| text_bytes(tool) + size_of::<usize>()).sum()
    }

    /// The entry of the tool at this place, a JSON object; `None` where it is not offered.
    pub(crate) fn entry(&self, at: usize) -> Option<&[u8]> {
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.text.get(start..*self.ends.get(at)?).filter(|entry| !entry.is_empty())
    }

    /// No tool is offered.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

fn text_bytes(tool: &Tool) -> usize {
    let mut w = Writer::new(&mut []);
    tool.write(&mut w);
    w.total()
}
