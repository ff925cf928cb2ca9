//! The page that tells which dashboard answers which question.

use std::fmt::Write as _;
use std::fs;

use crate::dashboards;
use crate::inventory::{panels, text};

const BEGIN: &str = "<!-- Written by the test `the_page_lists_every_question`. -->\n";
const END: &str = "<!-- End of what the test writes. -->\n";

#[test]
fn the_page_lists_every_question() {
    let path = dashboards::folder().join("README.md");
    let page = fs::read_to_string(&path).expect("there is a page");
    let (head, rest) = page
        .split_once(BEGIN)
        .expect("the page says where it begins");
    let (_, tail) = rest.split_once(END).expect("the page says where it ends");
    let current = format!("{head}{BEGIN}{}{END}{tail}", questions());
    if let Err(why) = dashboards::check_file(&path, &current) {
        panic!("{why}");
    }
}

fn questions() -> String {
    let mut page = String::new();
    for dashboard in dashboards::ALL {
        let json = dashboards::rendered(dashboard);
        let file = dashboards::path(dashboard);
        let file = file
            .file_name()
            .expect("a file")
            .to_string_lossy()
            .into_owned();
        let title = text(&json["title"]);
        let _ = write!(page, "\n### [{title}]({file})\n\n");
        let _ = write!(
            page,
            "{} Uid `{}`.\n\n",
            text(&json["description"]),
            dashboard.uid
        );
        let _ = write!(page, "| panel | question |\n|---|---|\n");
        for panel in panels(&json) {
            let _ = writeln!(
                page,
                "| {} | {} |",
                text(&panel["title"]),
                text(&panel["description"])
            );
        }
    }
    page.push('\n');
    page
}
