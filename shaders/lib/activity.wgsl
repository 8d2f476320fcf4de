// Gradient of the activity penalty λ₂ · mean r².
struct Activity {
  scale: f32,  // 2 λ₂ / (T B N)
}

// 0: there is no penalty.
const ACTIVITY_ON: u32 = 1u; //! tune

@group(0) @binding(1) var<uniform> activity: Activity;
