// Gradient of the activity penalty λ₂ · mean r², and the scale of the adjoint.
struct Activity {
  scale: f32,     // 2 λ₂ / (T B N)
  gradient: f32,  // a power of two by which G and ga are larger than the loss's gradient: 1 unless they are stored as float16
}

// 0: there is no penalty.
const ACTIVITY_ON: u32 = 1u; //! tune

@group(0) @binding(1) var<uniform> activity: Activity;
