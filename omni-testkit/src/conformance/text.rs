//! Words of ours: as they are, marked, long.

use omni_core::capability::{Markup, TextLimit};
use omni_core::content::{ContentKind, Part};
use omni_core::plan::{Note, measure};
use omni_core::text::{Entity, EntityKind};
use omni_core::{Address, Content, Text};
use url::Url;

use super::inbound::styled;
use super::rig::Seen;
use super::samples::{self, MARKUP, TEXTS};
use super::scene::{Scene, Stop, Verdict, ensure, failed, not_applicable, not_declared, passed};

/// Not a sign is lost, joined or torn on the way out.
pub(super) async fn words_go_out_as_they_were_written(scene: Scene) -> Verdict {
    let address = scene.hello().await?.address;
    for text in TEXTS {
        let read = one(scene.shows(&address, &Content::text(text)).await?)?;
        ensure!(read.plain == text, "{text:?} is shown as {:?}", read.plain);
    }
    passed(format!(
        "{} texts: Cyrillic, emoji of several code points, other alphabets, marks, lines",
        TEXTS.len()
    ))
}

/// Law 12: words never become markup, whoever wrote them.
pub(super) async fn markup_in_words_of_ours_stays_words(scene: Scene) -> Verdict {
    let address = scene.hello().await?.address;
    for text in MARKUP {
        let read = one(scene.shows(&address, &Content::text(text)).await?)?;
        ensure!(read.plain == text, "{text:?} is shown as {:?}", read.plain);
        if let Some(made_up) = styled(&read) {
            return failed(format!("{text:?} is shown with the entity {made_up:?}"));
        }
    }
    passed(format!("{} texts of HTML, Markdown and templates", MARKUP.len()))
}

/// The words of the only message shown.
fn one(seen: Vec<Seen>) -> Result<Text, Stop> {
    match <[Seen; 1]>::try_from(seen) {
        Ok([message]) => Ok(message.content.text.unwrap_or_default()),
        Err(seen) => failed(format!("{} messages are shown instead of one", seen.len())),
    }
}

/// Entities are rendered where that is declared; elsewhere the words stay whole and links are written out.
pub(super) async fn marked_words_are_rendered_or_written_out(scene: Scene) -> Verdict {
    let address = scene.hello().await?.address;
    const LINK: &str = "https://shop.example/9?a=1&b=<2>";
    let text = Text::plain("😀 <b>жирно</b>, косо, код & *ссылка* и 👨‍👩‍👧 тайна")
        .mark("жирно", EntityKind::Bold)
        .mark("косо", EntityKind::Italic)
        .mark("код", EntityKind::Code)
        .mark("*ссылка*", EntityKind::Link { url: LINK.to_owned() });
    let read = one(scene.shows(&address, &Content::text(text.clone())).await?)?;
    let rendered: Vec<&Entity> = read.entities.iter().filter(|e| is_marked(&e.kind)).collect();
    match scene.capabilities(&address).markup {
        Markup::None => {
            let notes = scene.plan(&address, &Content::text(text.clone())).notes;
            ensure!(notes.contains(&Note::MarkupFlattened), "the plan does not say that markup is lost");
            ensure!(rendered.is_empty(), "markup is not declared, and is rendered: {rendered:?}");
            ensure!(read.plain.starts_with(&text.plain), "the words are shown as {:?}", read.plain);
            ensure!(read.plain.contains(LINK), "the link is lost: {:?}", read.plain);
            not_declared("the words stay whole, the link is written out")
        }
        _ => {
            ensure!(read.plain == text.plain, "the words are shown as {:?}", read.plain);
            let sent: Vec<Entity> = text.entities.iter().map(as_followed).collect();
            let rendered: Vec<Entity> = rendered.into_iter().map(as_followed).collect();
            ensure!(rendered == sent, "{sent:?} is shown as {rendered:?}");
            passed("bold, italic, code and a link, behind an emoji and amid marks of HTML")
        }
    }
}

fn is_marked(kind: &EntityKind) -> bool {
    matches!(kind, EntityKind::Bold | EntityKind::Italic | EntityKind::Code | EntityKind::Link { .. })
}

/// A mark with its link as a browser follows it: one who writes `<` in an address and one who writes `%3C` lead to the
/// same place.
fn as_followed(entity: &Entity) -> Entity {
    match &entity.kind {
        EntityKind::Link { url } => {
            let url = Url::parse(url).map_or_else(|_| url.clone(), String::from);
            Entity { kind: EntityKind::Link { url }, ..entity.clone() }
        }
        _ => entity.clone(),
    }
}

/// The limit is the true one, and nothing is lost by splitting.
pub(super) async fn a_text_at_the_limit_stays_whole_and_one_past_it_is_split_in_order(
    scene: Scene,
) -> Verdict {
    let address = scene.hello().await?.address;
    let TextLimit { max: Some(max), unit } = scene.capabilities(&address).text else {
        return not_applicable("no limit is declared");
    };
    let whole = samples::text_of(max as usize, unit);
    let parts = scene.plan(&address, &Content::text(&*whole)).parts.len();
    ensure!(parts == 1, "a text at the limit is planned as {parts} messages");
    let read = one(scene.shows(&address, &Content::text(&*whole)).await?)?;
    ensure!(
        read.plain == whole,
        "a text at the limit is shown with {} bytes of {}",
        read.plain.len(),
        whole.len()
    );
    split(&scene, &address, &format!("{whole}y")).await?;
    passed(format!("{max} in {unit:?}"))
}

async fn split(scene: &Scene, address: &Address, long: &str) -> Result<(), Stop> {
    let planned = scene.plan(address, &Content::text(long));
    ensure!(
        planned.notes.iter().any(|note| matches!(note, Note::TextSplit { pieces: 2 })),
        "a text past the limit is planned with {:?}",
        planned.notes
    );
    let seen = scene.shows(address, &Content::text(long)).await?;
    ensure!(seen.len() == 2, "a text past the limit is shown as {} messages", seen.len());
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let joined: String = seen.iter().filter_map(|m| m.content.plain_text()).map(letters).collect();
    ensure!(joined == letters(long), "the parts of a split text do not make up the text, in order");
    Ok(())
}

/// A sign of several code points is one sign: no message ends inside it, whoever parts the text.
pub(super) async fn a_long_text_is_parted_between_its_signs(scene: Scene) -> Verdict {
    const SIGN: &str = "👨‍👩‍👧‍👦";
    // Longer than any provider takes, where no limit is declared.
    const LONG: usize = 10_000;
    let address = scene.hello().await?.address;
    let TextLimit { max, unit } = scene.capabilities(&address).text;
    let count = max.map_or(LONG, |max| max as usize) / unit.measure(SIGN) + 1;
    let seen = scene.shows(&address, &Content::text(SIGN.repeat(count))).await?;
    let mut shown = 0;
    for words in seen.iter().filter_map(|message| message.content.plain_text()) {
        let rest = words.replace(SIGN, "");
        ensure!(
            rest.trim().is_empty(),
            "a message begins or ends inside {SIGN}: beside whole ones it has {rest:?}"
        );
        shown += words.matches(SIGN).count();
    }
    ensure!(shown == count, "{shown} of {count} signs are shown, in {} messages", seen.len());
    passed(format!("{SIGN} to the limit and once more, in {} messages", seen.len()))
}

/// Words beside a file stay with it as long as they fit.
pub(super) async fn a_caption_past_its_limit_goes_by_itself(scene: Scene) -> Verdict {
    let address = scene.hello().await?.address;
    let caps = scene.capabilities(&address);
    let Some(TextLimit { max: Some(max), unit }) = caps.caption else {
        return not_applicable("no limit of captions is declared");
    };
    let caption = samples::text_of(max as usize, unit);
    let mut picture = scene.rig.sample(ContentKind::Image);
    picture.text = Some(Text::plain(&*caption));
    let seen = scene.shows(&address, &picture).await?;
    let beside =
        |m: &Seen| m.content.all_media().next().is_some() && m.content.plain_text() == Some(&caption);
    ensure!(seen.len() == 1 && seen.iter().all(beside), "a caption at the limit does not stay with its file");
    let long = format!("{caption}y");
    picture.text = Some(Text::plain(&*long));
    ensure!(scene.plan(&address, &picture).notes.contains(&Note::CaptionMoved), "the plan moves no caption");
    let seen = scene.shows(&address, &picture).await?;
    let is_file = |m: &Seen| m.content.parts.iter().any(|part| matches!(part, Part::Media(_)));
    // Where captions may be as long as any text, the words behind the file are two messages.
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let said = |m: &[Seen]| m.iter().filter_map(|m| m.content.plain_text()).map(letters).collect::<String>();
    let in_order = matches!(&*seen, [file, words @ ..] if is_file(file)
        && file.content.plain_text().is_none() && said(words) == letters(&long));
    ensure!(in_order, "a caption past the limit is not shown behind its file");
    passed(format!("{} in {unit:?}", measure(&caption, TextLimit::new(max, unit))))
}
