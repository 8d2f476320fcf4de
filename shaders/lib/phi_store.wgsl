// What the forward pass keeps of φ for the adjoint: one bit a unit for (leaky) ReLU, φ(a) for tanh, nothing for the
// identity or for a replay.
const PHI_NOTHING: u32 = 0u;
const PHI_BITS: u32 = 1u;
const PHI_VALUE: u32 = 2u;
const PHI_STORE: u32 = 0u; //! tune
