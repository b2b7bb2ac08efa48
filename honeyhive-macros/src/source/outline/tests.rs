use super::*;

fn tests(source: &str) -> Vec<String> {
    Outline::new(source).tests.into_iter().map(|test| test.name).collect()
}

#[test]
fn functions_of_tests_are_found_wherever_they_stand() {
    let source = r#"
            use honeyhive_harness::{evaluator, experiment};
            #[test] fn plain() {}
            #[tokio::test(flavor = "multi_thread")] async fn with_tokio() {}
            #[cfg(test)] mod tests { use super::*; #[should_panic] #[test] pub(crate) fn inside() {} }
            mod outer { mod inner { #[rstest] #[case(1)] fn deep(#[case] x: [u8; 2]) {} } }
            proptest! { #![proptest_config(x)] #[test] fn generated(x in 0..3) {} }
            fn helper() {} #[evaluator] fn score(output: &str) -> bool { output.is_empty() }
            honeyhive_harness::main!();
        "#;
    assert_eq!(
        tests(source),
        ["plain", "with_tokio", "tests::inside", "outer::inner::deep", "generated"]
    );
}

#[test]
fn what_only_looks_like_a_test_is_none() {
    let source = r##"
            // #[test] fn comment() {}
            /* #[test] fn block() {} */
            /// #[test]
            fn documented() { let s = "#[test] fn text() {}"; let r = r#"#[test] fn raw() {}"#; }
            macro_rules! make { ($n:ident) => { #[test] fn $n() {} #[test] fn body() {} } }
            #[cfg(test)] fn helper() {}
            #[cfg_attr(test, allow(dead_code))] fn other() {}
            #[test] const NOT_A_FUNCTION: u8 = 1;
            fn after() {}
            fn uses() { quote! { #[test] fn quoted() {} }; }
            #[my::attribute(test)] fn argument() {}
            fn test() {}
        "##;
    assert_eq!(tests(source), [""; 0]);
}

#[test]
fn a_test_above_an_experiment_is_told_from_one_beside_it() {
    let source = "#[test]\n#[experiment(dataset = \"d.jsonl\")]\nfn a() {}\n#[test] fn b() {}";
    let found = Outline::new(source).tests;
    assert_eq!(
        found,
        [
            TestFunction { name: "a".into(), line: 3, is_experiment: true },
            TestFunction { name: "b".into(), line: 4, is_experiment: false },
        ]
    );
}

#[test]
fn the_context_of_an_attribute_is_known() {
    let source = "#[a] fn f() {}\nimpl X {\n    #[b] fn g() {\n        #[c] fn h() {}\n    }\n}\n\
                  #[cfg(test)] mod tests {\n    #[d] fn i() -> impl T {}\n    #[e(x,\n  y)] fn j() {}\n}\n\
                  macro_rules! m { () => {\n    #[f] fn k() {}\n} }\n#[cfg(not(test))] mod n {\n    #[g] fn l() {}\n}";
    let outline = Outline::new(source);
    let none = Context::default();
    let in_impl = Context { in_impl: true, ..none };
    let in_tests = Context { in_tests: true, ..none };
    let at = |line, column| outline.context(line, column);
    let in_function = Context { in_function: true, ..none };
    assert_eq!((at(1, 1), at(3, 5), at(4, 9)), (Some(none), Some(in_impl), Some(in_function)));
    assert_eq!((at(8, 5), at(10, 3), at(13, 5)), (Some(in_tests), Some(in_tests), None));
    assert_eq!(at(16, 5), Some(none));
    assert!(Outline::new("#![cfg(test)]\n#[a] fn f() {}").context(2, 1) == Some(in_tests));
}

#[test]
fn modules_in_other_files_are_listed() {
    let source =
        "mod a;\n#[cfg(test)] pub(crate) mod b;\n#[path = \"c/d.rs\"] mod c;\nmod e { mod f; }";
    let module = |path: &[&str], file: Option<&str>, is_test| Module {
        path: path.iter().map(|part| (*part).to_owned()).collect(),
        file: file.map(str::to_owned),
        is_test,
    };
    assert_eq!(
        Outline::new(source).modules,
        [
            module(&["a"], None, false),
            module(&["b"], None, true),
            module(&["c"], Some("c/d.rs"), false),
            module(&["e", "f"], None, false),
        ]
    );
}

#[test]
fn hidden_names_are_admitted() {
    let hidden = |source: &str| Outline::new(source).has_hidden_names;
    assert!(hidden("use checks::*;") && hidden("include!(\"x.rs\");") && hidden("use super::*;"));
    assert!(!hidden("mod t { use super::*; } honeyhive_harness::main!(); fn f() { vec![1]; }"));
    let outline = Outline::new("#[experiment(evaluators(a))] fn f() { b(); } use c::{d as e};");
    let words = ["a", "b", "d", "e", "f"].map(|word| outline.has_word(word));
    assert_eq!(words, [false, true, true, true, true]);
}
