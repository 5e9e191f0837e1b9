//! Auto.ru chats connector of omni.
