(module
  (memory 1)
  (global $seen (mut i32) (i32.const 0))
  (func (export "run") (local $at i32)
    (drop (memory.grow (i32.const 1)))
    (loop $next
      (drop (i32.load8_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (global.set $seen (local.get $at))
      (br $next)))
  (func (export "check") (result i32) (global.get $seen)))
