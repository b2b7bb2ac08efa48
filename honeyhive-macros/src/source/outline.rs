//! Finds the declarations of a source file that experiments depend on.

use std::collections::HashSet;

use super::lexer::{Kind, Lexeme, lex};

/// The attributes that make a function a test of libtest.
const TESTS: &[&str] = &[
    "test",
    "bench",
    "rstest",
    "test_case",
    "test_matrix",
    "proptest",
    "quickcheck",
    "wasm_bindgen_test",
];

/// The macros of items inside of which functions are those of the file.
const TRANSPARENT: &[&str] = &["proptest", "cfg_if"];

/// The declarations of a source file.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// The functions that are tests of libtest.
    pub(crate) tests: Vec<TestFunction>,
    /// The names of functions with `#[evaluator]`.
    pub(crate) evaluators: Vec<String>,
    /// The modules in files of their own: `mod name;`
    pub(crate) modules: Vec<Module>,
    /// All attributes, in the order of the file.
    attributes: Vec<Attribute>,
    /// All words outside of attributes.
    words: HashSet<String>,
    /// Set when names may come from elsewhere without standing here: by a glob import, or a macro
    /// of items.
    pub(crate) has_hidden_names: bool,
    /// Set when macros of items may define a `main`.
    pub(crate) has_item_macros: bool,
}

/// A function that is a test of libtest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TestFunction {
    /// The name of the function, with the modules of the file that it stands in.
    pub(crate) name: String,
    pub(crate) line: usize,
    /// Set when `#[experiment]` stands below, on the same function.
    pub(crate) is_experiment: bool,
}

/// A module in a file of its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Module {
    /// The modules of this file that it stands in, and its name.
    pub(crate) path: Vec<String>,
    /// The path in `#[path = ".."]`.
    pub(crate) file: Option<String>,
    /// Set when the module exists in tests alone.
    pub(crate) is_test: bool,
}

/// An attribute, its place, and its surroundings.
#[derive(Clone, Copy, Debug)]
struct Attribute {
    start: (usize, usize),
    end: (usize, usize),
    context: Context,
}

/// The surroundings of an attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Context {
    /// Set within a module that exists in tests alone.
    pub(crate) in_tests: bool,
    /// Set within an `impl` block or a trait.
    pub(crate) in_impl: bool,
    /// Set within a function.
    pub(crate) in_function: bool,
}

impl Outline {
    pub(crate) fn new(source: &str) -> Self {
        let lexemes = lex(source);
        let mut walk = Walk { lexemes: &lexemes, ..Walk::default() };
        walk.all();
        walk.out
    }

    /// Returns the surroundings of the attribute at this place; `None` where there is no attribute,
    /// as inside of `macro_rules!`.
    pub(crate) fn context(&self, line: usize, column: usize) -> Option<Context> {
        let place = (line, column);
        let before = self.attributes.partition_point(|attribute| attribute.start <= place);
        let attribute = self.attributes.get(before.checked_sub(1)?)?;
        (place <= attribute.end).then_some(attribute.context)
    }

    /// Returns whether the word stands in the file outside of attributes.
    pub(crate) fn has_word(&self, word: &str) -> bool {
        self.words.contains(word)
    }
}

/// A block, and the number of open brackets where it began.
struct Block {
    kind: BlockKind,
    brackets: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum BlockKind {
    Module { name: String, is_test: bool },
    Impl,
    Function,
    Other,
}

/// An attribute above an item.
struct Above {
    /// The last name of its path.
    name: String,
    /// Set for `cfg(test)`, also within `all(..)`.
    is_cfg_test: bool,
    /// The text of `#[path = ".."]`.
    text: Option<String>,
}

#[derive(Default)]
struct Walk<'a> {
    lexemes: &'a [Lexeme<'a>],
    at: usize,
    out: Outline,
    blocks: Vec<Block>,
    /// The number of open `(` and `[` in the current block.
    brackets: usize,
    /// The attributes above the next item.
    above: Vec<Above>,
    /// The kind of block that the next `{` opens.
    next: Option<BlockKind>,
    /// Set when the file itself exists in tests alone.
    is_test: bool,
}

impl<'a> Walk<'a> {
    fn kind(&self, ahead: usize) -> Option<Kind<'a>> {
        self.lexemes.get(self.at + ahead).map(|lexeme| lexeme.kind)
    }

    fn is(&self, ahead: usize, punct: char) -> bool {
        self.kind(ahead) == Some(Kind::Punct(punct))
    }

    fn word(&self, ahead: usize) -> Option<&'a str> {
        match self.kind(ahead)? {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    fn context(&self) -> Context {
        let in_tests = self.is_test
            || self
                .blocks
                .iter()
                .any(|block| matches!(block.kind, BlockKind::Module { is_test: true, .. }));
        // A function inside of a method is a free one.
        let inner = self.blocks.iter().rev().find(|block| block.kind != BlockKind::Other);
        let in_impl = inner.is_some_and(|block| block.kind == BlockKind::Impl);
        Context { in_tests, in_impl, in_function: self.in_function() }
    }

    /// Returns the names of the modules of this file around the current place.
    fn modules(&self) -> Vec<String> {
        let name = |block: &Block| match &block.kind {
            BlockKind::Module { name, .. } => Some(name.clone()),
            _ => None,
        };
        self.blocks.iter().filter_map(name).collect()
    }

    fn in_function(&self) -> bool {
        self.blocks.iter().any(|block| block.kind == BlockKind::Function)
    }

    fn all(&mut self) {
        while let Some(kind) = self.kind(0) {
            match kind {
                Kind::Punct('#') if self.is(1, '[') || (self.is(1, '!') && self.is(2, '[')) => {
                    self.attribute();
                    continue;
                }
                Kind::Word(word) => {
                    self.out.words.insert(word.to_owned());
                    if self.item(word) {
                        continue;
                    }
                }
                Kind::Punct(punct) => self.punct(punct),
                Kind::Text(_) | Kind::Literal => {}
            }
            self.at += 1;
        }
    }

    fn punct(&mut self, punct: char) {
        match punct {
            '(' | '[' => self.brackets += 1,
            ')' | ']' => self.brackets = self.brackets.saturating_sub(1),
            '{' => {
                let kind = self.next.take().unwrap_or(BlockKind::Other);
                self.blocks.push(Block { kind, brackets: self.brackets });
                self.brackets = 0;
                self.above.clear();
            }
            '}' => {
                self.brackets = self.blocks.pop().map_or(0, |block| block.brackets);
                self.above.clear();
                self.next = None;
            }
            ';' if self.brackets == 0 => {
                self.above.clear();
                self.next = None;
            }
            ',' => self.above.clear(),
            _ => {}
        }
    }

    /// Reads the item that a word begins. Returns whether it went past the word.
    fn item(&mut self, word: &str) -> bool {
        match word {
            "macro_rules" if self.is(1, '!') => {
                self.at += if self.word(2).is_some() { 3 } else { 2 };
                self.skip_group();
            }
            // In a type, `impl Trait + use<'a>` is not an import.
            "use" if !self.is(1, '<') => self.import(),
            "mod" if self.word(1).is_some() => self.module(),
            "fn" => match self.word(1) {
                Some(name) => self.function(name),
                None => return false,
            },
            "impl" | "trait" if self.begins_an_item() => {
                self.next = Some(BlockKind::Impl);
                return false;
            }
            _ if self.is(1, '!') && ['(', '[', '{'].iter().any(|open| self.is(2, *open)) => {
                return self.invocation(word);
            }
            _ => return false,
        }
        true
    }

    /// Returns whether an `impl` here begins an item, and is not part of a type.
    fn begins_an_item(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.lexemes.get(at));
        self.brackets == 0
            && before.is_none_or(|before| {
                matches!(
                    before.kind,
                    Kind::Punct(';' | '{' | '}' | ']' | ')')
                        | Kind::Word("unsafe" | "default" | "pub" | "auto")
                )
            })
    }

    /// Reads the call of a macro. Returns whether it was skipped.
    fn invocation(&mut self, word: &str) -> bool {
        if TRANSPARENT.contains(&word) {
            return false;
        }
        if !self.in_function() && self.brackets == 0 && !matches!(word, "main" | "redact") {
            self.out.has_item_macros = true;
            self.out.has_hidden_names = true;
        }
        self.at += 2;
        self.skip_group();
        true
    }

    /// Skips a group in any brackets, and keeps its words.
    fn skip_group(&mut self) {
        let mut depth = 0_usize;
        while let Some(kind) = self.kind(0) {
            self.at += 1;
            match kind {
                Kind::Punct('(' | '[' | '{') => depth += 1,
                Kind::Punct(')' | ']' | '}') => depth = depth.saturating_sub(1),
                Kind::Word(word) => {
                    self.out.words.insert(word.to_owned());
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }

    fn import(&mut self) {
        let mut path = Vec::new();
        while let Some(kind) = self.kind(0) {
            self.at += 1;
            match kind {
                Kind::Punct(';') => break,
                Kind::Punct('*') => {
                    // In a module of this file, `use super::*` brings names that stand in this
                    // file.
                    let of_this_file = matches!(&path[..], ["super"])
                        && matches!(
                            self.blocks.last(),
                            Some(Block { kind: BlockKind::Module { .. }, .. })
                        );
                    self.out.has_hidden_names |= !of_this_file;
                }
                Kind::Word(word) => {
                    if word != "use" {
                        path.push(word);
                    }
                    self.out.words.insert(word.to_owned());
                }
                _ => {}
            }
        }
        self.above.clear();
    }

    fn module(&mut self) {
        let name = self.word(1).unwrap_or_default().to_owned();
        let is_test = self.above.iter().any(|above| above.is_cfg_test);
        self.out.words.insert(name.clone());
        self.at += 2;
        if self.is(0, ';') {
            let mut path = self.modules();
            path.push(name);
            let file = self.above.iter().find(|above| above.name == "path");
            let file = file.and_then(|above| above.text.clone());
            let is_test = is_test || self.context().in_tests;
            self.out.modules.push(Module { path, file, is_test });
        } else {
            self.next = Some(BlockKind::Module { name, is_test });
        }
    }

    fn function(&mut self, name: &str) {
        let above = std::mem::take(&mut self.above);
        let place = |wanted: &dyn Fn(&str) -> bool| above.iter().position(|one| wanted(&one.name));
        if let Some(test) = place(&|name| TESTS.contains(&name)) {
            let mut path = self.modules();
            path.push(name.to_owned());
            self.out.tests.push(TestFunction {
                name: path.join("::"),
                line: self.lexemes[self.at].line,
                is_experiment: place(&|name| name == "experiment").is_some_and(|at| at > test),
            });
        }
        if place(&|name| name == "evaluator").is_some() {
            self.out.evaluators.push(name.to_owned());
        }
        self.out.words.insert(name.to_owned());
        self.next = Some(BlockKind::Function);
        self.at += 2;
    }

    /// Reads `#[path(..)]` or `#![path(..)]`.
    fn attribute(&mut self) {
        let first = self.lexemes[self.at];
        let context = self.context();
        let is_inner = self.is(1, '!');
        self.at += if is_inner { 3 } else { 2 };
        let (mut depth, mut in_path) = (1_usize, true);
        let mut above = Above { name: String::new(), is_cfg_test: false, text: None };
        let mut negated = false;
        let mut last = first;
        while let Some(lexeme) = self.lexemes.get(self.at) {
            self.at += 1;
            last = *lexeme;
            match lexeme.kind {
                Kind::Punct('(' | '[' | '{') => (depth, in_path) = (depth + 1, false),
                Kind::Punct(')' | ']' | '}') => depth -= 1,
                Kind::Punct('=') => in_path = false,
                Kind::Word(word) if in_path => word.clone_into(&mut above.name),
                // An item with `any(test, ..)` may exist without tests, too.
                Kind::Word("not" | "any") => negated = true,
                Kind::Word("test") => above.is_cfg_test = true,
                Kind::Text(text) if depth == 1 => above.text = Some(text.to_owned()),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        above.is_cfg_test &= above.name == "cfg" && !negated;
        self.out.attributes.push(Attribute {
            start: (first.line, first.column),
            end: (last.line, last.column),
            context,
        });
        if !is_inner {
            self.above.push(above);
        } else if above.is_cfg_test {
            match self.blocks.last_mut() {
                Some(Block { kind: BlockKind::Module { is_test, .. }, .. }) => *is_test = true,
                Some(_) => {}
                None => self.is_test = true,
            }
        }
    }
}

#[cfg(test)]
mod tests;
