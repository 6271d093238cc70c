//! The rules of `docs/wire.md` are numbered without gaps, `docs/rules.md` says of each which tests prove it, and those tests exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The numbers of the rules as they stand in the document, those under each heading together.
fn groups() -> Vec<Vec<u32>> {
    let document = read("docs/wire.md");
    let number = |rule: &str| rule.split_once(".** ").expect("`- **Rule N.** text`").0.parse().expect("a number");
    let numbers = |group: &str| group.lines().filter_map(|line| line.strip_prefix("- **Rule ")).map(number).collect();
    document.split("\n#").map(numbers).collect()
}

/// The numbers of the rules in their order.
fn rules() -> Vec<u32> {
    let mut rules = groups().concat();
    rules.sort_unstable();
    rules
}

/// The cells of the rows of the table under `heading`.
fn table(heading: &str) -> Vec<Vec<String>> {
    let document = read("docs/rules.md");
    let (_, rest) = document.split_once(heading).expect("the heading");
    let lines = rest.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let rows = lines.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// What proves each rule; nothing where it is open.
fn proofs() -> BTreeMap<u32, Vec<String>> {
    let rows = table("## Which test proves which rule");
    let mut proofs = BTreeMap::new();
    let mut last = 0;
    for row in &rows {
        let [rule, tests] = &row[..] else { panic!("{row:?}") };
        let named: Vec<_> = quoted(tests).into_iter().map(str::to_owned).collect();
        assert_eq!(named.is_empty(), tests == "open", "rule {rule}: tests in backticks, or `open`");
        let rule = rule.parse().expect("a number");
        assert!(rule > last, "rule {rule} has two rows, or stands behind rule {last}");
        last = rule;
        proofs.insert(rule, named);
    }
    proofs
}

/// The file in which cargo finds the test of this path, in the folder or file of its target.
fn file_of(base: &Path, modules: &[&str]) -> Option<PathBuf> {
    let path = modules.iter().fold(base.to_owned(), |path, module| path.join(module));
    let of_a_module = [path.with_extension("rs"), path.join("mod.rs")];
    let of_a_target = modules.is_empty().then(|| path.join("main.rs"));
    let inline = || {
        let (module, outer) = modules.split_last()?;
        let is_there =
            |file: &PathBuf| fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("mod {module} {{")));
        file_of(base, outer).filter(is_there)
    };
    of_a_module.into_iter().chain(of_a_target).find(|file| file.is_file()).or_else(inline)
}

/// Whether the file has this function with an attribute that makes it a test, and none that leaves it out.
fn has_test(file: &Path, name: &str) -> bool {
    let text = fs::read_to_string(file).expect("it can be read");
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let Some(at) = lines.iter().position(|line| line.contains(&format!("fn {name}("))) else { return false };
    let above = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    let attributes: Vec<_> = above.filter(|line| line.starts_with("#[")).collect();
    let is_test = |line: &&&str| line.starts_with("#[test]") || line.starts_with("#[tokio::test");
    attributes.iter().any(is_test) && !attributes.iter().any(|line| line.starts_with("#[ignore"))
}

/// The numbers in the name of a test: `rule_13_..`, `rules_05_and_06_..`, `rules_41_to_46_52_..`.
fn cited(name: &str) -> Vec<u32> {
    let Some(rest) = name.strip_prefix("rule_").or_else(|| name.strip_prefix("rules_")) else { return Vec::new() };
    let words: Vec<_> = rest.split('_').collect();
    let is_of_the_list = |word: &&&str| matches!(**word, "to" | "and") || word.parse::<u32>().is_ok();
    let list: Vec<_> = words.iter().take_while(is_of_the_list).collect();
    let singular = name.starts_with("rule_");
    list.iter().filter_map(|word| word.parse().ok()).take(if singular { 1 } else { usize::MAX }).collect()
}

/// Every file of Rust in the workspace but this one.
fn sources() -> Vec<PathBuf> {
    let mut folders: Vec<_> =
        ["amp-core", "amp-derive", "amp-multiplex", "src", "tests", "examples"].map(|name| root().join(name)).into();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.extension() {
                None if path.is_dir() && !path.ends_with("target") => folders.push(path),
                Some(extension) if extension == "rs" && !path.ends_with("wire_rules.rs") => files.push(path),
                _ => {}
            }
        }
    }
    files
}

#[test]
fn rules_are_numbered_without_gaps_and_in_order_under_each_heading() {
    assert!(groups().iter().all(|group| group.is_sorted()));
    let rules = rules();
    assert!(rules.len() > 100, "{rules:?}");
    assert_eq!(rules, (1..).take(rules.len()).collect::<Vec<_>>());
}

#[test]
fn every_rule_has_one_row_and_the_open_ones_are_listed() {
    let proofs = proofs();
    assert_eq!(proofs.keys().copied().collect::<Vec<_>>(), rules());
    let open: BTreeSet<_> = proofs.iter().filter(|(_, tests)| tests.is_empty()).map(|(&rule, _)| rule).collect();
    let listed = table("## Open rules");
    assert_eq!(listed.iter().map(|row| row[0].parse().expect("a number")).collect::<BTreeSet<u32>>(), open);
}

#[test]
fn every_test_that_proves_a_rule_exists_and_runs() {
    let targets: BTreeMap<_, _> = table("## Targets")
        .into_iter()
        .map(|row| (quoted(&row[0])[0].to_owned(), root().join(quoted(&row[1])[0])))
        .collect();
    let mut faults = Vec::new();
    for (rule, tests) in proofs() {
        for test in tests {
            let (target, path) = test.split_once(' ').unwrap_or_else(|| panic!("rule {rule}: `target path::of::test`"));
            let base = targets.get(target).unwrap_or_else(|| panic!("rule {rule}: no target {target} in the list"));
            let modules: Vec<_> = path.split("::").collect();
            let (name, modules) = modules.split_last().expect("a name");
            if !file_of(base, modules).is_some_and(|file| has_test(&file, name)) {
                faults.push(format!("rule {rule}: no test {test}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_is_cited_is_a_rule_and_no_open_rule_has_a_test_of_its_own() {
    let proofs = proofs();
    let mut faults = Vec::new();
    for file in sources() {
        let text = fs::read_to_string(&file).expect("it can be read");
        let mut check = |rule: u32, why: &str, line: &str| {
            if proofs.get(&rule).is_none_or(|tests| why == "named" && tests.is_empty()) {
                faults.push(format!("{}: {line}", file.display()));
            }
        };
        for line in text.lines() {
            if let Some((_, rest)) = line.split_once("fn ") {
                let name = rest.split('(').next().unwrap_or_default();
                cited(name).into_iter().for_each(|rule| check(rule, "named", line));
            }
            for rest in line.split("`wire.md` rule").skip(1) {
                let rest = rest.trim_start_matches('s').trim_start();
                let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
                check(number.parse().unwrap_or(0), "cited", line);
            }
            for old in ["line", "lines"].map(|word| format!("`wire.md` {word} ")) {
                if line.contains(&old) {
                    check(0, "cited", line);
                }
            }
        }
    }
    assert!(faults.is_empty(), "these cite no rule, or an open one:\n{}", faults.join("\n"));
}
