//! The pages of the documentation: no link is dead, neither as files nor as modules of rustdoc.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages that are read as files and as modules.
fn pages() -> Vec<PathBuf> {
    let docs =
        fs::read_dir(root().join("docs")).expect("the documentation").map(|entry| entry.expect("an entry").path());
    let mut pages: Vec<_> = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect();
    pages.push(root().join("README.md"));
    pages.sort();
    pages
}

/// The definitions of names at the beginnings of lines: `[name]: target`.
fn definitions(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).collect()
}

/// What stands between `start` and the next `end`, everywhere outside of code.
fn between<'a>(text: &'a str, start: &'a str, end: char) -> impl Iterator<Item = &'a str> {
    let prose = text.split("```").step_by(2).flat_map(|part| part.split('`').step_by(2));
    prose.flat_map(move |part| part.split(start).skip(1).filter_map(move |rest| Some(rest.split_once(end)?.0)))
}

#[test]
fn every_name_that_a_page_links_is_defined_at_its_end_and_leads_to_a_file() {
    for page in pages() {
        let text = read(&page);
        let defined = definitions(&text);
        for name in between(&text, "][", ']') {
            assert!(defined.contains_key(name), "{} links `{name}`, which it does not define", page.display());
        }
        for (name, target) in &defined {
            let file = page.with_file_name(target);
            assert!(file.is_file(), "{}: `{name}` leads to {}", page.display(), file.display());
        }
    }
}

/// In rustdoc there are no files beside the page.
#[test]
fn a_page_links_other_pages_by_names_only() {
    for page in pages() {
        let text = read(&page);
        for target in between(&text, "](", ')') {
            let stays = target.starts_with("https://") || target.starts_with('#');
            assert!(stays, "{}: the link to {target} is dead in rustdoc", page.display());
        }
    }
}

#[test]
fn every_name_leads_to_a_module_in_rustdoc_and_every_page_is_one() {
    let (links, facade) = (read(&root().join("docs/links.in")), read(&root().join("src/lib.rs")));
    let linked = definitions(&links);
    for page in pages() {
        for name in definitions(&read(&page)).into_keys() {
            assert!(linked.contains_key(name), "docs/links.in does not say where `{name}` of {} leads", page.display());
        }
        let file = page.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(facade.contains(&format!("/{file}\"))")), "{file} is no page of rustdoc");
    }
    for (name, module) in linked {
        let module = module.strip_prefix("crate::guide::").expect("a page of the guide");
        assert_eq!(module, name.replace('-', "_"));
        assert!(facade.contains(&format!("pub mod {module} {{}}")), "there is no module for `{name}`");
    }
}

/// A heading that a link of the same page leads to.
#[test]
fn every_section_that_a_page_links_is_there() {
    for page in pages() {
        let text = read(&page);
        let is_kept = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
        let slug = |heading: &str| -> String {
            heading.trim().to_lowercase().replace(' ', "-").chars().filter(|letter| is_kept(*letter)).collect()
        };
        let headings: Vec<_> =
            text.lines().filter(|line| line.starts_with('#')).map(|line| slug(line.trim_start_matches('#'))).collect();
        for section in between(&text, "](#", ')') {
            assert!(headings.iter().any(|heading| heading == section), "{}: no section {section}", page.display());
        }
    }
}
