//! Compares the public items of the harness with the list that is checked in.
//!
//! An item is public when a user can name it: a macro, a type, a trait, a function, a constant or a
//! module that `lib.rs` leads to, by declarations or re-exports. Methods and fields are not listed,
//! and neither is what `#[doc(hidden)]` leaves out of the documentation: it changes without notice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{env, fs};

use syn::{Attribute, Item, Visibility};

use crate::sources::{Crate, ModulePath, attributes, flatten, name_of};

const LIST: &str = "tests/layers/public-items.txt";

/// The most items that the list may have. A larger surface is a decision, not an accident.
const MOST: usize = 125;

/// Paths of re-exports lead to re-exports; more steps than these are a mistake of this reader.
const MOST_STEPS: usize = 32;

#[test]
fn the_list_has_the_public_items() {
    let found = public_items(&crate::harness());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(LIST);
    if env::var_os("PUBLIC_ITEMS").is_some_and(|value| value == "overwrite") {
        let lines: Vec<String> = found.iter().map(|item| format!("{item}\n")).collect();
        fs::write(&file, lines.concat()).unwrap();
        return;
    }
    let text = fs::read_to_string(&file).unwrap();
    let listed: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    let new = found.difference(&listed).map(|item| format!("+ {item}\n"));
    let gone = listed.difference(&found).map(|item| format!("- {item}\n"));
    let changes: Vec<String> = new.chain(gone).collect();
    assert!(
        changes.is_empty(),
        "the public items are not those in {LIST}:\n{}if that is intended, this writes the list: \
         PUBLIC_ITEMS=overwrite cargo test -p honeyhive-tests --test layers",
        changes.concat()
    );
}

#[test]
fn the_public_items_are_few_and_each_name_is_there_once() {
    let found = public_items(&crate::harness());
    assert!(found.len() > 50, "the sources are not where this test looks for them");
    assert!(found.len() <= MOST, "{} public items, and at most {MOST} are intended", found.len());
    let mut named: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for item in &found {
        let (kind, path) = item.split_once(' ').unwrap();
        if matches!(kind, "struct" | "enum" | "trait" | "type") {
            named.entry(path.rsplit("::").next().unwrap()).or_default().push(path);
        }
    }
    let twice: Vec<_> = named.values().filter(|paths| paths.len() > 1).collect();
    assert!(twice.is_empty(), "several public types have one name: {twice:?}");
}

/// Returns the public items of a crate: `struct api::Run`, each by its shortest path.
fn public_items(code: &Crate) -> BTreeSet<String> {
    let mut walk = Walk { code, seen: BTreeSet::new(), found: BTreeMap::new() };
    walk.module(&[], &[]);
    for module in code.modules.values() {
        for item in &module.items {
            if let Item::Macro(code) = item
                && !is_hidden(item)
                && code.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"))
                && let Some(name) = &code.ident
            {
                walk.add(&[], "macro", &[name.to_string()]);
            }
        }
    }
    walk.found.into_iter().map(|((.., kind), path)| format!("{kind} {}", path.join("::"))).collect()
}

/// The thing behind a path.
enum Target {
    Module(ModulePath),
    /// The item that a module of this crate defines by this name.
    Item(ModulePath, String),
}

struct Walk<'a> {
    code: &'a Crate,
    /// The modules that were walked, each with the path by which a user gets there.
    seen: BTreeSet<(ModulePath, Vec<String>)>,
    /// The shortest path of each item, by the module that defines it, its name and kind.
    found: BTreeMap<(ModulePath, String, &'static str), Vec<String>>,
}

impl Walk<'_> {
    fn add(&mut self, defined: &[String], kind: &'static str, path: &[String]) {
        self.add_as(defined, path.last().unwrap(), kind, path);
    }

    fn add_as(&mut self, defined: &[String], name: &str, kind: &'static str, path: &[String]) {
        let shortest = self.found.entry((defined.to_vec(), name.to_owned(), kind));
        let shortest = shortest.or_insert_with(|| path.to_vec());
        if (path.len(), path) < (shortest.len(), &**shortest) {
            *shortest = path.to_vec();
        }
    }

    /// Adds the public items of a module that a user reaches by the path `shown`.
    fn module(&mut self, module: &[String], shown: &[String]) {
        if !self.seen.insert((module.to_vec(), shown.to_vec())) {
            return;
        }
        let code = self.code;
        for item in &code.modules[module].items {
            if is_hidden(item) || !is_public(item) {
                continue;
            }
            match item {
                Item::Use(item) => {
                    let (mut names, mut globs) = (BTreeMap::new(), Vec::new());
                    flatten(&item.tree, &mut Vec::new(), &mut names, &mut globs);
                    for (name, path) in names {
                        self.reexport(module, &path, &[shown, &[name]].concat());
                    }
                    for glob in globs {
                        if let Some(Target::Module(there)) = self.find(module, &glob, 0) {
                            self.module(&there, shown);
                        }
                    }
                }
                Item::Mod(item) => {
                    let name = [item.ident.to_string()];
                    self.add(module, "mod", &[shown, &name].concat());
                    self.module(&[module, &name].concat(), &[shown, &name].concat());
                }
                item => {
                    if let (Some(kind), Some(name)) = (kind_of(item), name_of(item)) {
                        self.add(module, kind, &[shown, &[name.to_string()]].concat());
                    }
                }
            }
        }
    }

    /// Adds what a re-export shows as the path `shown`.
    fn reexport(&mut self, module: &[String], path: &[String], shown: &[String]) {
        match self.find(module, path, 0) {
            Some(Target::Module(there)) => {
                self.add(&there, "mod", shown);
                self.module(&there, shown);
            }
            Some(Target::Item(there, name)) => {
                let code = self.code;
                let items = code.modules[&there].items.iter();
                for item in items.filter(|item| name_of(item).is_some_and(|own| *own == name)) {
                    if let Some(kind) = kind_of(item).filter(|_| !is_hidden(item)) {
                        self.add_as(&there, &name, kind, shown);
                    }
                }
            }
            // Items of other crates.
            None => {
                let kind = match path[0].as_str() {
                    "honeyhive_macros" => "macro",
                    _ if path.len() == 1 => "crate",
                    _ => "use",
                };
                self.add(&[], kind, shown);
            }
        }
    }

    /// Returns what a path in a module leads to; `None` for other crates.
    fn find(&self, module: &[String], path: &[String], steps: usize) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.descend(Vec::new(), rest, steps),
            "self" => self.descend(module.to_vec(), rest, steps),
            "super" => {
                let parent = module.split_last()?.1;
                if rest.first().is_some_and(|next| next == "super") {
                    self.find(parent, rest, steps)
                } else {
                    self.descend(parent.to_vec(), rest, steps)
                }
            }
            _ => self.descend(module.to_vec(), path, steps),
        }
    }

    fn descend(&self, module: ModulePath, path: &[String], steps: usize) -> Option<Target> {
        let Some((name, rest)) = path.split_first() else { return Some(Target::Module(module)) };
        if steps > MOST_STEPS {
            return None;
        }
        let child = [&*module, std::slice::from_ref(name)].concat();
        if self.code.modules.contains_key(&child) {
            return self.descend(child, rest, steps);
        }
        let own = &self.code.modules[&module];
        if own.items.iter().any(|item| name_of(item).is_some_and(|own| own == name)) {
            return rest.is_empty().then(|| Target::Item(module, name.clone()));
        }
        if let Some(meant) =
            own.names.get(name).filter(|meant| *meant != std::slice::from_ref(name))
        {
            return self.find(&module, &[&**meant, rest].concat(), steps + 1);
        }
        own.globs.iter().find_map(|glob| match self.find(&module, glob, steps + 1)? {
            Target::Module(there) if there != module => self.descend(there, path, steps + 1),
            _ => None,
        })
    }
}

fn kind_of(item: &Item) -> Option<&'static str> {
    Some(match item {
        Item::Const(_) | Item::Static(_) => "const",
        Item::Enum(_) => "enum",
        Item::Fn(_) => "fn",
        Item::Struct(_) => "struct",
        Item::Trait(_) => "trait",
        Item::Type(_) => "type",
        _ => return None,
    })
}

fn is_public(item: &Item) -> bool {
    let visibility = match item {
        Item::Const(item) => &item.vis,
        Item::Enum(item) => &item.vis,
        Item::Fn(item) => &item.vis,
        Item::Mod(item) => &item.vis,
        Item::Static(item) => &item.vis,
        Item::Struct(item) => &item.vis,
        Item::Trait(item) => &item.vis,
        Item::Type(item) => &item.vis,
        Item::Use(item) => &item.vis,
        _ => return false,
    };
    matches!(visibility, Visibility::Public(_))
}

/// Returns whether the documentation leaves an item out, or the item is a page of it.
fn is_hidden(item: &Item) -> bool {
    let has = |attribute: &Attribute, name: &str, word: &str| {
        attribute.path().is_ident(name)
            && attribute.meta.require_list().is_ok_and(|list| {
                list.tokens.clone().into_iter().any(|token| contains(token, word))
            })
    };
    attributes(item).iter().any(|one| has(one, "doc", "hidden") || has(one, "cfg", "doc"))
}

fn contains(token: proc_macro2::TokenTree, word: &str) -> bool {
    match token {
        proc_macro2::TokenTree::Ident(ident) => ident == word,
        proc_macro2::TokenTree::Group(group) => {
            group.stream().into_iter().any(|token| contains(token, word))
        }
        _ => false,
    }
}
