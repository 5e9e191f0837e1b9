//! Some customers who have written before the desk opens, so that it is not empty.

use bytes::Bytes;

use super::{Deed, Simulator, Upload};

pub(super) const SNEAKERS: &[u8] = include_bytes!("../demo/sneakers.jpg");

/// Lets them write: most at the first provider, one at each of the others. What a simulator does not know is left out.
pub(super) fn play(simulator: &dyn Simulator) {
    if simulator.provider() != omni::telegram::PROVIDER {
        return ask(simulator);
    }
    let maria = simulator.enter("Мария Соколова").id;
    let oleg = simulator.enter("Олег Ким").id;
    let ivan = simulator.enter("Иван Петров").id;
    let write = |text: &str| Deed::Write { text: text.to_owned(), reply_to: None };
    let deeds = [
        (&maria, write("Добрый день! Когда приедет заказ № 1043?")),
        (&oleg, write("Здравствуйте. Перезвоните мне, пожалуйста, после 18:00 🙏")),
        (&oleg, Deed::ShareContact),
        (&ivan, Deed::Start { token: "spring_sale".to_owned() }),
        (&ivan, write("Здравствуйте! Есть такие в 42 размере? 👟")),
    ];
    for (who, deed) in deeds {
        if let Err(error) = simulator.act(who, deed) {
            tracing::debug!(%error, "left out of the demo");
        }
    }
    let picture = Upload {
        name: "sneakers.jpg".into(),
        mime: "image/jpeg".into(),
        bytes: Bytes::from_static(SNEAKERS),
    };
    if let Err(error) = simulator.send_file(&ivan, picture, "") {
        tracing::debug!(%error, "left out of the demo");
    }
}

/// One customer with a question that one has at such a provider.
fn ask(simulator: &dyn Simulator) {
    let (name, question) = match simulator.provider().as_str() {
        "viber" => ("Алеся Новик", "Добры дзень! Доставляете в Минск? 📦"),
        "vk" => ("Дмитрий Орлов", "Привет! Ещё есть белые? 🤍"),
        "avito" => ("Никита", "Здравствуйте, ещё продаёте?"),
        "email" => ("Елена Зимина", "Здравствуйте! 38-й оказался мал. Поменяете на 39-й? 👟"),
        _ => ("Пётр", "Добрый день! Торг возможен?"),
    };
    let who = simulator.enter(name).id;
    if let Err(error) = simulator.asks(&who, question) {
        tracing::debug!(%error, "left out of the demo");
    }
}
