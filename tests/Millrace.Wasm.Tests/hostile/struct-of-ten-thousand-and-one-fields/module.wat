(module
  (type $s (struct {{10000|(field i32)}} (field $last (mut i32))))
  (func (export "run") (result i32) (local $s (ref $s))
    (local.set $s (struct.new_default $s))
    (struct.set $s $last (local.get $s) (i32.const 7))
    (struct.get $s $last (local.get $s))))
