//! Reads the modules of a crate and the files that each file uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

/// The place of a module in its crate: `["engine", "board"]`; empty for `lib.rs`.
pub(crate) type ModulePath = Vec<String>;

/// Paths of re-exports lead to re-exports; more steps than these are a mistake of this reader.
const MOST_STEPS: usize = 32;

/// A module of the crate, with code of a file or inline in it.
#[derive(Debug)]
pub(crate) struct Module {
    /// The file that the code stands in.
    pub(crate) file: PathBuf,
    pub(crate) items: Vec<Item>,
    /// The names that `use` brings in, and the paths behind them.
    pub(crate) names: BTreeMap<String, Vec<String>>,
    /// The paths of `use path::*`.
    pub(crate) globs: Vec<Vec<String>>,
}

/// The modules of a crate, without those that only tests have.
#[derive(Debug)]
pub(crate) struct Crate {
    pub(crate) modules: BTreeMap<ModulePath, Module>,
}

impl Crate {
    /// Reads a crate from its `lib.rs`, or `main.rs`, on.
    pub(crate) fn read(root: &Path) -> Self {
        let mut modules = BTreeMap::new();
        let directory = root.parent().expect("a directory");
        read_module(Vec::new(), root, directory, &mut modules);
        Self { modules }
    }

    /// Returns the files that each file uses, both as modules; a file also for its inline modules.
    pub(crate) fn uses(&self) -> BTreeMap<ModulePath, BTreeSet<ModulePath>> {
        let mut all: BTreeMap<ModulePath, BTreeSet<ModulePath>> = BTreeMap::new();
        for (path, module) in &self.modules {
            let mut paths = Paths::default();
            for item in &module.items {
                // Inline modules are in the list themselves.
                if !matches!(item, Item::Mod(_)) {
                    paths.visit_item(item);
                }
            }
            let from = self.module_of_file(path);
            let used = paths.0.iter().filter_map(|used| self.find(path, used, 0));
            let used = used.map(|used| self.module_of_file(&used)).filter(|used| *used != from);
            all.entry(from.clone()).or_default().extend(used);
        }
        all
    }

    /// Returns the module that a file begins with.
    fn module_of_file(&self, path: &[String]) -> ModulePath {
        let file = &self.modules[path].file;
        let mut path = path.to_vec();
        while let Some((_, parent)) = path.split_last()
            && self.modules[parent].file == *file
        {
            path.pop();
        }
        path
    }

    /// Returns the module in which the thing behind a path of `module` is defined; `None` for other
    /// crates.
    fn find(&self, module: &[String], path: &[String], steps: usize) -> Option<ModulePath> {
        let (first, rest) = path.split_first()?;
        if steps > MOST_STEPS {
            return None;
        }
        match first.as_str() {
            "crate" => self.descend(Vec::new(), rest, steps),
            "self" => self.descend(module.to_vec(), rest, steps),
            "super" => self.find(module.split_last()?.1, &prefixed("self", rest), steps),
            name => {
                let own = &self.modules[module];
                let child = [module, &[name.to_owned()]].concat();
                let is_known = own.names.contains_key(name) || self.modules.contains_key(&child);
                is_known.then(|| self.descend(module.to_vec(), path, steps))?
            }
        }
    }

    fn descend(&self, module: ModulePath, path: &[String], steps: usize) -> Option<ModulePath> {
        let Some((name, rest)) = path.split_first() else { return Some(module) };
        if name == "super" || name == "self" {
            return self.find(&module, path, steps + 1);
        }
        let child = [&*module, &[name.to_owned()]].concat();
        if self.modules.contains_key(&child) {
            return self.descend(child, rest, steps);
        }
        let own = &self.modules[&module];
        if let Some(meant) = own.names.get(name) {
            let whole = [&**meant, rest].concat();
            // What another crate defines, this module re-exports.
            return self.find(&module, &whole, steps + 1).or(Some(module));
        }
        let defined = own.items.iter().any(|item| name_of(item).is_some_and(|own| own == name));
        if !defined {
            for glob in &own.globs {
                if let Some(there) = self.find(&module, glob, steps + 1)
                    && there != module
                    && self.has(&there, name)
                {
                    return self.descend(there, path, steps + 1);
                }
            }
        }
        Some(module)
    }

    fn has(&self, module: &[String], name: &str) -> bool {
        let own = &self.modules[module];
        own.names.contains_key(name)
            || own.items.iter().any(|item| name_of(item).is_some_and(|own| own == name))
            || self.modules.contains_key(&[module, &[name.to_owned()]].concat())
    }
}

fn prefixed(first: &str, rest: &[String]) -> Vec<String> {
    std::iter::once(first.to_owned()).chain(rest.iter().cloned()).collect()
}

/// Reads a module of a file, and those that it declares.
fn read_module(
    path: ModulePath,
    file: &Path,
    directory: &Path,
    modules: &mut BTreeMap<ModulePath, Module>,
) {
    let text =
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let parsed =
        syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    add_module(path, file, directory, parsed.items, modules);
}

fn add_module(
    path: ModulePath,
    file: &Path,
    directory: &Path,
    items: Vec<Item>,
    modules: &mut BTreeMap<ModulePath, Module>,
) {
    let items: Vec<Item> = items.into_iter().filter(|item| !is_for_tests(item)).collect();
    let (mut names, mut globs) = (BTreeMap::new(), Vec::new());
    for item in &items {
        match item {
            Item::Use(item) => flatten(&item.tree, &mut Vec::new(), &mut names, &mut globs),
            Item::Mod(item) => {
                let name = item.ident.to_string();
                let child = [&*path, std::slice::from_ref(&name)].concat();
                let below = directory.join(&name);
                if let Some((_, inner)) = &item.content {
                    add_module(child, file, &below, inner.clone(), modules);
                } else {
                    let alone = directory.join(format!("{name}.rs"));
                    let own = match other_path(&item.attrs) {
                        Some(other) => directory.join(other),
                        None if alone.exists() => alone,
                        None => below.join("mod.rs"),
                    };
                    read_module(child, &own, &below, modules);
                }
            }
            _ => {}
        }
    }
    modules.insert(path, Module { file: file.to_owned(), items, names, globs });
}

/// Collects the names that a `use` brings in with the paths behind them, and the paths of its globs.
pub(crate) fn flatten(
    tree: &UseTree,
    before: &mut Vec<String>,
    names: &mut BTreeMap<String, Vec<String>>,
    globs: &mut Vec<Vec<String>>,
) {
    let whole = |last: &syn::Ident, before: &[String]| match last.to_string() {
        // `use a::{self}` is `use a`.
        last if last == "self" && !before.is_empty() => before.to_vec(),
        last => [before, &[last]].concat(),
    };
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, names, globs);
            before.pop();
        }
        UseTree::Name(name) => {
            let path = whole(&name.ident, before);
            names.insert(path.last().expect("a name").clone(), path);
        }
        UseTree::Rename(name) => {
            let key = match name.rename.to_string() {
                // Several traits may be brought in without a name.
                anonymous if anonymous == "_" => format!("_ {}", names.len()),
                key => key,
            };
            names.insert(key, whole(&name.ident, before));
        }
        UseTree::Glob(_) => globs.push(before.clone()),
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before, names, globs);
            }
        }
    }
}

fn is_dollar(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '$')
}

/// Returns the path of `#[path = ".."]`.
fn other_path(attributes: &[Attribute]) -> Option<String> {
    let path = attributes.iter().find(|attribute| attribute.path().is_ident("path"))?;
    let syn::Expr::Lit(literal) = &path.meta.require_name_value().ok()?.value else { return None };
    match &literal.lit {
        syn::Lit::Str(path) => Some(path.value()),
        _ => None,
    }
}

/// Returns the attributes of an item.
pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Returns the name that an item defines.
pub(crate) fn name_of(item: &Item) -> Option<&syn::Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Macro(item) => item.ident.as_ref(),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        _ => None,
    }
}

fn is_for_tests(item: &Item) -> bool {
    attributes(item).iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Ident>().is_ok_and(|cfg| cfg == "test")
    })
}

/// The paths that code names, each as its segments.
#[derive(Default)]
struct Paths(Vec<Vec<String>>);

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let (mut names, mut globs) = (BTreeMap::new(), Vec::new());
        flatten(&item.tree, &mut Vec::new(), &mut names, &mut globs);
        self.0.extend(names.into_values().chain(globs));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.visit_path(&called.path);
        self.tokens(called.tokens.clone());
    }

    // Links and texts in attributes use nothing.
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

impl Paths {
    /// Collects the paths in the arguments of a macro.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path = Vec::new();
        let mut colons = 0;
        let mut of_a_macro = false;
        for token in tokens {
            // `$crate::name` is used where the macro is.
            if std::mem::replace(&mut of_a_macro, is_dollar(&token)) {
                self.take(&mut path);
                (path, colons) = (vec!["$crate".to_owned()], 0);
                continue;
            }
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.take(&mut path);
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && colons < 2 => colons += 1,
                TokenTree::Group(group) => {
                    self.take(&mut path);
                    self.tokens(group.stream());
                    colons = 0;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.take(&mut path);
                    colons = 0;
                }
            }
        }
        self.take(&mut path);
    }

    fn take(&mut self, path: &mut Vec<String>) {
        if !path.is_empty() {
            self.0.push(std::mem::take(path));
        }
    }
}
