//! What people write.

/// Why somebody writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Question,
    Order,
    Refund,
    English,
    Item,
    /// An autoresponder: a program answers whatever it gets.
    Robot,
}

pub(crate) const NAMES: &[&str] = &[
    "Мария Соколова",
    "Олег Ким",
    "Иван Петров",
    "Анна Белова",
    "Тимур Ахметов",
    "Ольга",
    "Ёлка 🎄",
    "Пётр Ильич",
    "Жанна Ә.",
    "Лев",
];

pub(crate) fn first_words(wish: Wish) -> &'static [&'static str] {
    match wish {
        Wish::Question => &[
            "Здравствуйте! Когда приедет заказ № 1043? 🚚",
            "Добрый день, а рисунок на кружке не сотрётся?",
            "Привет 👋 Вы работаете в выходные?",
            "Подскажите, как оплатить по счёту для юрлица",
        ],
        Wish::Order => &["Хочу заказать 20 кружек с логотипом ☕☕", "Есть белые кружки, 300 мл? 🤍"],
        Wish::Refund => &[
            "Пришла разбитая кружка 😢 Оформите возврат",
            "Верните деньги за ложки, они погнулись",
            "Мне нужен возврат, заказ 991-А",
        ],
        Wish::English => &["Hello! Do you ship to Berlin? 🇩🇪", "Hi, is the blue mug still available?"],
        Wish::Item => &["Эта ещё есть? 👀", "А такая, но с котом 🐈 бывает?"],
        Wish::Robot => &["Ваше письмо получено. Это автоматический ответ."],
    }
}

pub(crate) const MORE: &[&str] = &[
    "А можно быстрее?",
    "Хорошо, жду 🙂",
    "Номер заказа 1043-77",
    "Вот ещё вопрос: есть подарочная упаковка? 🎁",
    "Понял. А если завтра?",
];

pub(crate) const THANKS: &[&str] = &["Спасибо!", "Спасибо большое 🙏", "Ок, спасибо вам 👍", "Благодарю ❤️"];

pub(crate) const IMPATIENT: &[&str] = &["Ау, есть кто живой? 😕", "Я всё ещё жду", "??"];

pub(crate) const BACK: &[&str] =
    &["Это снова я: кружка пришла не того цвета 🙈", "Здравствуйте ещё раз, вопрос по тому же заказу"];

pub(crate) const ANSWERS: &[&str] = &[
    "Здравствуйте! Сейчас посмотрю 👀",
    "Заказ уже в пути, будет завтра до 18:00 🚚",
    "Да, есть в наличии. Отложить?",
    "Оформила, чек придёт на почту 🧾",
    "Уточнил на складе: отправим сегодня",
];

/// Whether a text is a word of thanks, to the eye of an agent.
pub(crate) fn is_thanks(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("спасибо") || text.contains("благодар")
}
