use super::*;

#[test]
fn nothing_in_cleaned_html_runs() {
    for attack in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<a href=\"java\tscript:alert(1)\">x</a>",
        "<a href=\" &#14; javascript:alert(1)\">x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
        "<img src='data:text/html;base64,PHN2Zz4='>",
        "<svg><script>alert(1)</script></svg>",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "<iframe src=\"javascript:alert(1)\"></iframe>",
        "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
        "<form action=https://evil.example><input name=password><button>ok</button></form>",
        "<base href=https://evil.example/><meta http-equiv=refresh content='0;url=https://evil.example'>",
        "<link rel=stylesheet href=https://evil.example/a.css>",
        "<style>@import url(https://evil.example)</style>",
        "<p style=\"background:url(https://evil.example/p)\" class=a id=b>x</p>",
        "<object data=evil.swf></object><embed src=evil.swf>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
        "<<script>script>alert(1)<</script>/script>",
        "<img \"\"\"><script>alert(1)</script>\">",
        "<body onload=alert(1)><table background=\"javascript:alert(1)\"><td>x",
        "<video src=https://evil.example/v><source onerror=alert(1)></video>",
        "<a href=\"vbscript:msgbox(1)\">x</a>",
        "<textarea><script>alert(1)</script></textarea>",
    ] {
        let html = clean(attack).to_lowercase();
        for bad in [
            "<script",
            "onerror=",
            "onload=",
            "javascript:",
            "vbscript:",
            "<svg",
            "<form",
            "<input",
            "<iframe",
            "<style",
            "style=",
            "class=",
            "id=",
            "<meta",
            "<base",
            "<link",
            "<object",
            "<embed",
            " src=\"http",
            "data:text",
            "data:image/svg",
            "background=",
            "evil.swf",
        ] {
            assert!(!html.contains(bad), "{attack} became {html}");
        }
    }
}

#[test]
fn a_remote_picture_is_not_loaded_and_its_address_is_kept() {
    assert_eq!(
        clean("<img src=\"http://t.example/p?a=1&b=2\" width=1 alt=\"Счёт\">"),
        "<img data-remote-src=\"http://t.example/p?a=1&amp;b=2\" width=\"1\" alt=\"Счёт\">"
    );
    assert_eq!(clean("<img src=//t.example/p>"), "<img data-remote-src=\"https://t.example/p\">");
    assert_eq!(clean("<img data-remote-src=\"javascript:x\">"), "<img>");
}

#[test]
fn pictures_of_the_mail_itself_are_shown() {
    assert_eq!(clean("<img src=\"cid:logo@host\">"), "<img src=\"cid:logo@host\">");
    let inline = "<img src=\"data:image/png;base64,iVBORw0KGgo=\">";
    assert_eq!(clean(inline), inline);
}

#[test]
fn links_tell_nothing_of_the_reader_and_lead_nowhere_within_the_host() {
    assert_eq!(
        clean("<a href=\"https://shop.example/\" target=_top>тут</a>"),
        "<a href=\"https://shop.example/\" rel=\"noopener noreferrer nofollow\">тут</a>"
    );
    assert_eq!(clean("<a href=\"/admin/delete\">x</a>"), "<a rel=\"noopener noreferrer nofollow\">x</a>");
}

#[test]
fn what_only_outlook_reads_is_gone() {
    let html = "<!--[if mso]><p>Outlook</p><![endif]-->До<!--[if !mso]><!--> видно <!--<![endif]--><![if !mso]>и это<![endif]>";
    assert_eq!(clean(html), "До видно и это");
}

#[test]
fn hidden_preheaders_are_gone() {
    for style in [
        "display:none",
        "DISPLAY : None !important",
        "font-size:0px",
        "max-height:0;overflow:hidden",
        "visibility:hidden",
        "opacity:0",
    ] {
        let html = format!("<div style=\"{style}\">скрыто</div><p>видно</p>");
        assert_eq!(
            clean(&html),
            if style.starts_with("font") { "<div></div><p>видно</p>" } else { "<p>видно</p>" }
        );
        assert_eq!(text(&html), "видно");
    }
}

#[test]
fn words_that_have_a_size_again_are_shown() {
    let html = "<td style=\"font-size:0px;padding:0\"><div style=\"font-size:13px\">Ваш заказ</div></td>";
    assert_eq!(text(html), "Ваш заказ");
}

#[test]
fn long_html_is_cut_between_characters() {
    let html = "я".repeat(MAX_BYTES);
    assert_eq!(clean(&html).len(), MAX_BYTES);
    assert!(text(&"<p>слово ".repeat(40_000)).len() <= MAX_BYTES);
}

#[test]
fn deep_and_wrongly_nested_html_takes_no_longer_than_its_length() {
    let started = std::time::Instant::now();
    for html in [
        "<div>".repeat(60_000),
        "<blockquote>".repeat(30_000),
        (0..12_000).map(|i| format!("<p><font a={i}></p>x")).collect(),
        (0..12_000).map(|i| format!("<b a={i}><table>")).collect(),
        "<table><tr><td>".repeat(20_000),
        "<a href=https://a.example>".repeat(10_000),
        "</div>".repeat(60_000),
        "<ul><li>".repeat(20_000),
        "<p style=\"a:b;".repeat(20_000),
        "<center hidden>".repeat(100_000),
        "<svg>".repeat(100_000),
        format!("<p {}>", (0..200_000).map(|i| format!("a{i} ")).collect::<String>()),
        "<b class=gmail_signature>a</b>".repeat(50_000),
        "<blockquote type=cite>a</blockquote>b".repeat(40_000),
    ] {
        clean(&html);
        text(&html);
    }
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn html_becomes_text_with_its_shape() {
    let html = "<p>Здравствуйте!</p><p>Где&nbsp;мой <b>заказ</b> 😀?<br>Жду.</p><ul><li>раз<li>два</ul>\
        <ol><li>первый</li><li>второй</li></ol><pre>a\n  b</pre><h2>Итог</h2>да";
    assert_eq!(
        text(html),
        "Здравствуйте!\n\nГде мой заказ 😀?\nЖду.\n* раз\n* два\n1. первый\n2. второй\n\na\n  b\n\nИтог\n\nда"
    );
}

#[test]
fn quotes_become_lines_with_a_mark() {
    assert_eq!(
        text("<div>да</div><blockquote>вопрос<blockquote>раньше</blockquote></blockquote>"),
        "да\n\n> вопрос\n> \n> > раньше".replace("> \n", ">\n")
    );
}

#[test]
fn a_links_address_is_told_once() {
    assert_eq!(text("<a href=\"https://a.example/x\">тут</a>"), "тут <https://a.example/x>");
    assert_eq!(text("<a href=\"https://a.example/\">www.a.example</a>"), "www.a.example");
    assert_eq!(text("<a href=\"mailto:i@a.example\">i@a.example</a>"), "i@a.example");
    assert_eq!(text("<a href=\"tel:+79001234567\">+7 900 123-45-67</a>"), "+7 900 123-45-67");
    let twice = "<a href=\"https://a.example/x\">раз</a> <a href=\"https://a.example/x\">два</a>";
    assert_eq!(text(twice), "раз <https://a.example/x> два");
    assert_eq!(text("<a href=\"javascript:x()\">тут</a>"), "тут");
}

#[test]
fn cells_of_a_row_are_parted_and_frames_are_not_drawn() {
    let html = "<table><tr><td>Товар</td><td>Цена</td></tr><tr><td>Чай</td><td>100 ₽</td></tr></table>";
    assert_eq!(text(html), "Товар | Цена\nЧай | 100 ₽");
    let frame = "<table><tr><td width=10></td><td><p>Привет</p><p>Пока</p></td><td></td></tr></table>";
    assert_eq!(text(frame), "Привет\n\nПока");
}

#[test]
fn pictures_are_their_words() {
    assert_eq!(text("Да <img alt=\"😀\" src=\"cid:1\"> <img alt=\"Схема\" src=\"cid:2\">"), "Да 😀 [Схема]");
}

#[test]
fn marks_of_ours_in_a_strangers_text_do_nothing() {
    assert_eq!(text("a\u{fdd0}b\u{fdd2}c"), "abc");
}
