//! The colours of page and charts: one table, from which light and dark come.
//!
//! Charts are drawn in the light colours. In the dark the style sheet maps each
//! of them to its dark twin, so that a chart needs no script and no second copy.
//! Hues differ in lightness too, so that they can be told apart without colour
//! vision and on paper.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// A colour: its name in the style sheet, light and dark.
struct Twin {
    name: &'static str,
    light: RGBColor,
    dark: RGBColor,
}

macro_rules! palette {
    ($($id:ident $name:literal $light:literal $dark:literal $what:literal;)*) => {
        $(
            #[doc = $what]
            pub const $id: RGBColor = rgb($light);
        )*
        const TWINS: &[Twin] = &[$(Twin { name: $name, light: rgb($light), dark: rgb($dark) }),*];
    };
}

palette! {
    INK "ink" 0x1A2230 0xE8ECF2 "Text.";
    MUTED "muted" 0x545F70 0xA7B1BF "Text of less weight.";
    GRID "grid" 0xD9DFE7 0x333D4B "Lines that divide.";
    LANE "lane" 0xE9EEF4 0x212A37 "A surface that something lies on.";
    BEST "best" 0x0A62A8 0x5DADEC "The chain that won.";
    SIDE "side" 0xC2410C 0xFF9B63 "What lost against it.";
    DOWN "down" 0x3B4351 0x7C8798 "A node that does not answer.";
    FAULT "fault" 0x7648BE 0xBCA2F5 "A fault.";
    ON_FAULT "on-fault" 0xFFFFFF 0x12171F "Text on a fault's band.";
    LAW "law" 0x11795B 0x4FD1A5 "What theory lets expect.";
}

const fn rgb(number: u32) -> RGBColor {
    let [_, red, green, blue] = number.to_be_bytes();
    RGBColor(red, green, blue)
}

fn hex(colour: RGBColor) -> String {
    // Capitals, as the charts have them.
    format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2)
}

/// The part of the style sheet that follows from the table.
pub fn css() -> String {
    let mut light = String::new();
    let mut dark = String::new();
    let mut charts = String::new();
    for Twin {
        name,
        light: of_light,
        dark: of_dark,
    } in TWINS
    {
        let of_light = hex(*of_light);
        // Writing to a String cannot fail.
        let _ = write!(light, "--{name}:{of_light};");
        let _ = write!(dark, "--{name}:{};", hex(*of_dark));
        let _ = writeln!(charts, ".chart [fill=\"{of_light}\"]{{fill:var(--{name})}}");
        let _ = writeln!(
            charts,
            ".chart [stroke=\"{of_light}\"]{{stroke:var(--{name})}}"
        );
    }
    format!(
        ":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{charts}"
    )
}
