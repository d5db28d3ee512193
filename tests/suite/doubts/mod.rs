//! What a run must hold, or refuse, because its inputs are not what they seem; and, beside each, what must go all the same.
//! Every scene is a small application with a folder of old files, and ends with a removal at a terminal. `table` holds each
//! layout of keys against each doubt.

mod aliases;
#[allow(unused)]
mod layouts;
mod packed;
mod planned;
mod scene;
mod sides;
mod spellings;
mod table;
mod times;
mod undecoded;
mod unmet;
mod worlds;
