//! A list of five hundred tools.

use serde_json::json;

use crate::alone;
use crate::app::{BLOCK, Running, TOOLS};
use crate::forms::{FORMS, Form};

#[test]
fn a_list_of_five_hundred_tools_is_complete_in_every_form() {
    let _alone = alone();
    let server = Running::many();
    for form in FORMS.into_iter().filter(|form| !form.is_events() || *form == Form::HttpSse) {
        let (mut names, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
        loop {
            let params = cursor.map_or(json!({}), |cursor| json!({"cursor": cursor}));
            let (answers, _) = form.ask(&server, "tools/list", &params, &mut |_| {});
            let result = &answers[0]["result"];
            let tools = result["tools"].as_array().expect("tools");
            names.extend(tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()));
            for tool in tools {
                assert_eq!(tool["description"], BLOCK);
                assert_eq!(tool["title"], "One of \"many\"");
            }
            pages += 1;
            cursor = result["nextCursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        let expected: Vec<String> = (0..TOOLS).map(|at| format!("tool_{at:03}")).collect();
        assert_eq!(names, expected, "{form:?}");
        assert_eq!(pages, 5, "{form:?}: as many as are on a page");
    }
}
