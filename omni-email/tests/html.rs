//! HTML of strangers: whatever it is, what comes out runs nothing and loads nothing.

use std::sync::LazyLock;
use std::time::Instant;

use omni_email::parse::html::{clean, text};
use omni_email::parse::{Limits, read};
use proptest::prelude::*;
use regex::Regex;

/// Elements that may be shown.
const ELEMENTS: &str = "a abbr acronym area article aside b bdi bdo blockquote br caption center cite code col colgroup \
    data dd del details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd li map \
    mark nav ol p pre q rp rt rtc ruby s samp small span strike strong sub summary sup table tbody td th thead time tr tt u \
    ul var wbr tfoot";

/// Attributes that may be shown.
const ATTRIBUTES: &str = "href hreflang rel dir cite align char charoff span datetime size width alt height src start \
    summary colspan headers rowspan scope lang title data-remote-src type value open shape coords";

/// Addresses that may be in `href` and `cite`.
const SCHEMES: [&str; 7] = ["http://", "https://", "mailto:", "tel:", "sms:", "ftp://", "mid:"];

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|error| unreachable!("{error}"))
}

static TAG: LazyLock<Regex> =
    LazyLock::new(|| regex(r#"<(/?)([^\s>/]*)((?:\s+[^\s=>]+(?:="[^"]*")?)*)\s*>"#));
static ATTRIBUTE: LazyLock<Regex> = LazyLock::new(|| regex(r#"([^\s=>]+)(?:="([^"]*)")?"#));

/// What is not allowed in cleaned HTML; nothing when all is well.
fn faults(html: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let rest = TAG.replace_all(html, "");
    if rest.contains('<') {
        faults.push(format!("no tag: {rest}"));
    }
    for tag in TAG.captures_iter(html) {
        if !ELEMENTS.split_whitespace().any(|known| known == &tag[2]) {
            faults.push(format!("element {}", &tag[2]));
        }
        for attribute in ATTRIBUTE.captures_iter(&tag[3]) {
            let (name, value) = (&attribute[1], attribute.get(2).map_or("", |value| value.as_str()));
            if !ATTRIBUTES.split_whitespace().any(|known| known == name) {
                faults.push(format!("attribute {name}"));
            }
            let is_fit = match name {
                "src" => value.starts_with("cid:") || value.to_lowercase().starts_with("data:image/"),
                "href" | "cite" => SCHEMES.iter().any(|scheme| value.to_lowercase().starts_with(scheme)),
                "data-remote-src" => value.to_lowercase().trim_start().starts_with("http"),
                _ => true,
            };
            if !is_fit || value.to_lowercase().starts_with("data:image/svg") {
                faults.push(format!("{name} {value}"));
            }
        }
    }
    faults
}

fn is_harmless(html: &str) -> Result<(), String> {
    let once = clean(html);
    // What a browser makes of the result is HTML again, and must be as harmless.
    let twice = clean(&once);
    match faults(&once).into_iter().chain(faults(&twice)).next() {
        Some(fault) => Err(format!("{fault}\n{html}\nbecame {once}\nand {twice}")),
        None => Ok(()),
    }
}

#[test]
fn nothing_that_runs_or_loads_is_left() {
    for attack in [
        // Elements and attributes that run.
        "<ScRiPt>alert(1)</sCrIpT>",
        "<script/src=https://evil.example/x.js></script>",
        "<img src=x onerror=alert(1)>",
        "<img/src=x/onerror=alert(1)>",
        "<img src='x'onerror=alert(1)>",
        "<p onpointerenter=alert(1) oncopy=x>x</p>",
        "<details open ontoggle=alert(1)>x</details>",
        "<body onload=alert(1)>x",
        "<marquee onstart=alert(1)>x</marquee>",
        "<a href=javascript:alert(1)>x</a>",
        "<a href=\"JaVaScRiPt:alert(1)\">x</a>",
        "<a href=\"java&#10;script:alert(1)\">x</a>",
        "<a href=\"&#1;javascript:alert(1)\">x</a>",
        "<a href=\"java&Tab;script&colon;alert(1)\">x</a>",
        "<a href=\"data:text/html;base64,PHN2Zz4=\">x</a>",
        "<a href=\"blob:https://evil.example/1\">x</a>",
        "<a href=\"file:///etc/passwd\">x</a>",
        "<a href=\"//evil.example\">x</a>",
        "<a href=\"cid:1\" ping=https://evil.example>x</a>",
        "<a xlink:href=\"javascript:alert(1)\">x</a>",
        "<q cite=\"javascript:alert(1)\">x</q>",
        "<map name=m><area href=\"javascript:alert(1)\"></map>",
        "<isindex action=javascript:alert(1) type=image>",
        // What loads.
        "<img src=https://t.example/p.gif srcset='https://t.example/2x 2x' loading=eager>",
        "<picture><source srcset=https://t.example/p><img src=https://t.example/p></picture>",
        "<table background=https://t.example/p><tr><td background=https://t.example/p>x",
        "<div style=\"background:url(https://t.example/p)\">x</div>",
        "<div style='background-image:u\\72l(https://t.example/p)'>x</div>",
        "<style>@import 'https://t.example/a.css';</style><style>*{background:url(//t.example)}</style>",
        "<link rel=stylesheet href=https://t.example/a.css><link rel=dns-prefetch href=//t.example>",
        "<video src=https://t.example/v poster=https://t.example/p></video><audio src=//t.example></audio>",
        "<input type=image src=https://t.example/p><button formaction=https://t.example>x</button>",
        "<object data=https://t.example></object><embed src=https://t.example><applet code=x></applet>",
        "<iframe src=https://t.example></iframe><frameset><frame src=https://t.example></frameset>",
        "<bgsound src=https://t.example><layer src=https://t.example></layer>",
        "<svg><image href=https://t.example/p /><use href='data:image/svg+xml,x#x'/></svg>",
        "<img src='data:image/svg+xml;base64,PHN2Zz4='><img src='data:text/html,x'>",
        "<img src=\"\thttps://t.example/p\"><img src='ht\ntps://t.example/p'>",
        "<img src=/relative><img src=relative.gif><img src=\\\\t.example\\share\\p>",
        // What changes the page.
        "<meta http-equiv=refresh content='0;url=https://evil.example'><base href=https://evil.example>",
        "<form action=https://evil.example><input name=p><textarea>x</textarea><select><option>x</select></form>",
        "<title>x</title><html manifest=https://evil.example><head profile=https://evil.example>",
        "<p id=location class=admin style=position:fixed;top:0>x</p>",
        "<a href=https://a.example target=_top rel=opener>x</a>",
        "<plaintext><script>alert(1)</script>",
        "<xmp><script>alert(1)</script></xmp><noembed><img src=x onerror=alert(1)></noembed>",
        "<template><img src=x onerror=alert(1)></template>",
        // What reads otherwise the second time.
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
        "<math><mi><table><mglyph><style><![CDATA[</style><img src=1 onerror=alert(1)>]]></style>",
        "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
        "<svg><desc><noscript><img title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<svg><title><style><img title=\"</style><img src=x onerror=alert(1)>\">",
        "<math><annotation-xml encoding=\"text/html\"><style><img title=\"</style><img src onerror=alert(1)>\">",
        "<select><style><img title=\"</style><img src=x onerror=alert(1)>\"></select>",
        "<table><caption><svg><style><img title=\"</style></table><img src=x onerror=alert(1)>\">",
        "<a title=\"`\"><img alt=\"``onerror=alert(1)\">",
        "<!--><img src=x onerror=alert(1)>-->",
        "<!-- --!><img src=x onerror=alert(1)> -->",
        "<![CDATA[<img src=x onerror=alert(1)>]]>",
        "<?xml:namespace prefix='x'><img src=x onerror=alert(1)>",
        "<![if mso]><v:imagedata src=https://t.example/p><![endif]><o:p onclick=x>x</o:p>",
        "</p onclick=alert(1)><br onclick=alert(1)/><//img src=x onerror=alert(1)>",
        "<<img src=x onerror=alert(1)>",
        "<img src=x:x onerror\u{0}=alert(1)>",
        "<scr\u{0}ipt>alert(1)</scr\u{0}ipt>",
        "<img title=\"&quot;><script>alert(1)</script>\">",
        "<p title='\"><script>alert(1)</script>'>x</p>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    ] {
        assert_eq!(is_harmless(attack), Ok(()));
    }
}

#[test]
fn words_around_attacks_stay() {
    for (html, shown) in [
        ("До<script>x</script> и после", "До и после"),
        ("<p>Раз<svg><text>скрыто</text></svg></p><p>Два 😀</p>", "<p>Раз</p><p>Два 😀</p>"),
        ("5 < 7 & 8 > 6", "5 &lt; 7 &amp; 8 &gt; 6"),
        // A comment that parts texts of many signs is not shown.
        (&"& ".repeat(1_000), "&amp; ".repeat(1_000).as_str()),
        ("<unknown>слово</unknown>", "слово"),
        ("<a href=javascript:x>слово</a>", "<a rel=\"noopener noreferrer nofollow\">слово</a>"),
    ] {
        assert_eq!(clean(html), shown);
    }
}

#[test]
fn a_mail_shows_clean_html_and_words() {
    let raw = "From: Анна <anna@a.example>\nSubject: =?utf-8?B?0KfQtdC6?=\nContent-Type: text/html; charset=utf-8\n\n\
        <html><head><title>x</title><style>p{}</style></head><body><div style=\"display:none;max-height:0\">Скидки внутри!</div>\
        <p onclick=\"x()\">Вот <b>чек</b> 😀</p><img src=\"https://t.example/open.gif\" width=\"1\" height=\"1\">\
        <img src=\"cid:check@a.example\" alt=\"чек\"><script>x()</script></body></html>\n";
    let mail = read(raw.as_bytes(), &Limits::default());
    let html = mail.body.html.unwrap();
    assert_eq!(faults(&html), Vec::<String>::new());
    assert!(
        html.contains("<p>Вот <b>чек</b> 😀</p>") && html.contains("src=\"cid:check@a.example\""),
        "{html}"
    );
    assert!(html.contains("data-remote-src=\"https://t.example/open.gif\""), "{html}");
    assert!(!html.contains("Скидки"), "{html}");
    assert_eq!(mail.body.visible, "Вот чек 😀\n\n[чек]");
}

#[test]
fn bombs_take_no_longer_than_their_length() {
    let started = Instant::now();
    for html in [
        "<div>".repeat(100_000),
        "<b><p>".repeat(100_000),
        "<table><tr><td><b>".repeat(30_000),
        "<a><b><i><u>".repeat(40_000) + &"</a></b></i></u>".repeat(20_000),
        "<form><math><mtext>".repeat(20_000),
        "<svg><desc>".repeat(40_000),
        "<center hidden>".repeat(100_000),
        "<!--".repeat(200_000),
        "<![CDATA[".repeat(100_000),
        "&amp".repeat(200_000),
        "&#".repeat(300_000),
        "<p ".repeat(200_000),
        format!("<p {}", (0..150_000).map(|i| format!("a{i}=' ' ")).collect::<String>()),
        format!("<p style=\"{}\">x", "a:b;".repeat(200_000)),
        "<p title=\"".repeat(100_000),
        "<h1></h2>".repeat(100_000),
    ] {
        clean(&html);
        text(&html);
    }
    assert!(started.elapsed().as_secs() < 120, "{:?}", started.elapsed());
}

/// Pieces of which HTML of every evil kind can be made.
const PIECES: &[&str] = &[
    "<p>",
    "</p>",
    "<svg>",
    "</svg>",
    "<math>",
    "<mtext>",
    "<mglyph>",
    "<style>",
    "</style>",
    "<title>",
    "</title>",
    "<noscript>",
    "</noscript>",
    "<table>",
    "<td>",
    "</table>",
    "<select>",
    "<template>",
    "<form>",
    "</form>",
    "<a href=\"",
    "javascript:x()",
    "\">",
    "'",
    "\"",
    "<img src=",
    "x onerror=alert(1)>",
    "https://t.example/p",
    " style=\"",
    "url(",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "&lt;",
    "&quot;",
    "&#x3c;",
    "<script>",
    "</script>",
    "<textarea>",
    "<xmp>",
    "<iframe srcdoc=\"",
    "<plaintext>",
    "<br",
    "/>",
    ">",
    "<",
    "&",
    "Привет ",
    "😀",
    "\u{0}",
    "\u{fdd0}",
    "\u{fdd2}",
    "\n",
    "=",
    "`",
    "<blockquote type=cite>",
    "</blockquote>",
    "<div class=gmail_quote>",
    "</div>",
    "<div id=Signature>",
    "<hr>",
    "display:none",
    "<annotation-xml>",
    "<desc>",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_comes_in_is_harmless(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        let html = pieces.concat();
        prop_assert_eq!(is_harmless(&html), Ok(()));
        text(&html);
    }

    #[test]
    fn any_text_is_harmless(html in ".{0,200}") {
        prop_assert_eq!(is_harmless(&html), Ok(()));
        text(&html);
    }
}
