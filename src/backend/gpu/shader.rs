//! WGSL modules, put together by listing their parts.

/// A WGSL module: named parts, one after the other. Order does not matter to WGSL.
#[derive(Clone, Debug, Default)]
pub struct Module {
    parts: Vec<(String, usize)>,
    text: String,
}

impl Module {
    /// Without any part.
    pub fn new() -> Self {
        Module::default()
    }

    /// Adds a part: a file of `shaders/`, or generated text.
    #[must_use]
    pub fn add(mut self, name: impl Into<String>, text: &str) -> Self {
        self.parts.push((name.into(), self.text.lines().count()));
        self.text.push_str(text);
        if !text.ends_with('\n') {
            self.text.push('\n');
        }
        self
    }

    /// The whole text.
    pub fn source(&self) -> &str {
        &self.text
    }

    /// The part that a line of the whole is in, and the line within it. Lines count from 1.
    pub fn locate(&self, line: u32) -> Option<(&str, u32)> {
        let index = (line as usize).checked_sub(1)?;
        let (name, first) = self.parts.iter().rev().find(|(_, first)| *first <= index)?;
        Some((name, (index - first) as u32 + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::Module;

    #[test]
    fn lines_are_found_in_their_parts() {
        let module = Module::new().add("a", "1\n2").add("empty", "").add("b", "3\n4\n");
        assert_eq!(module.source(), "1\n2\n\n3\n4\n");
        assert_eq!(module.locate(0), None);
        assert_eq!(module.locate(1), Some(("a", 1)));
        assert_eq!(module.locate(2), Some(("a", 2)));
        assert_eq!(module.locate(3), Some(("empty", 1)));
        assert_eq!(module.locate(5), Some(("b", 2)));
    }
}
