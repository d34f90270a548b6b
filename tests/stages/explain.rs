//! `replay --explain CODE` for six of the examples, as an inspector reads it, compared with the pages in
//! `tests/explained`, one for each language. `TRACEWARDEN_WRITE_GENERATED=1` writes them anew: read what changed before committing it.

use std::fs;
use std::path::Path;

use tracewarden::present::explain;
use tracewarden::present::language::Language;

use crate::support::cases;
use crate::support::local::{fed, options};

/// Examples, the code that is asked for, as it was scanned.
const ASKED: [(&str, &str); 7] = [
    ("photographed-codes", "81773220000000016835"),
    ("split-pack", " 81773220000000016835 "),
    ("explained-by-return", "]d281773220000000016835"),
    ("explained-by-reversal", "８1773220000000016835"),
    ("sold-after-return-to-supplier", "81773220000000016835"),
    ("codes-with-the-hand-over", "81773220000000016835"),
    // A code that no document of the example names.
    ("honest-life", "81773220000000099999"),
];

#[test]
fn six_lives_and_an_unknown_code_read_as_they_should() {
    let languages = [("zh", Language::Chinese), ("en", Language::English)];
    for ((example, scanned), (name, language)) in
        ASKED.into_iter().flat_map(|asked| languages.map(|language| (asked, language)))
    {
        let page = page(example, scanned, language);
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/explained/{example}.{name}.txt"));
        if std::env::var_os("TRACEWARDEN_WRITE_GENERATED").is_some() {
            fs::write(&path, &page).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            expected == page,
            "{} differs; run this test with TRACEWARDEN_WRITE_GENERATED=1 and read what changed:\n{page}",
            path.display()
        );
    }
}

fn page(example: &str, scanned: &str, language: Language) -> String {
    let case = cases::example(example);
    let options = options("");
    let local = fed(&case.world(), &options);
    let code = explain::code_of(scanned).unwrap();
    let state = local.code_state(&code).unwrap();
    explain::explain(&code, &state, &options.rules, local.now(), language) + "\n"
}
