// f32 functions.
