// Per-row records: a row is (network, condition, trajectory or repeat). Its step parameters stand in the record
// itself, so seeds, hyper-parameters and sweeps are one mechanism and cost no second look-up.
//! import "lib/dynamics.wgsl"

struct RowParams {
  cell: CellParams,
  network_seed: u32,  // second word of the Philox key
  trajectory: u32,    // index within (network, condition): third counter word
  epoch: u32,         // replay: index of the condition in the sweep, or 0; training: the clock's iteration is used
  valid: u32,         // 0 for padding: the record is then all zero, and the row stays exactly 0
  mask_every: u32,    // k; 1 = always visible
  mask_random: u32,   // 1: offset drawn per trajectory; 0: offset 0
}
