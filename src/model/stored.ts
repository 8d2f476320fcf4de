/** How activations (r_t, ga_t) lie in memory between passes; all arithmetic is float32 either way (`shaders/lib/stored/`). */
export const STORED_AS = ["f32", "f16"] as const;
export type StoredAs = (typeof STORED_AS)[number];
