//! History: how long calls really took, by kind of call.
