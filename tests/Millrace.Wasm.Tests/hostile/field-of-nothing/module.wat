(module
  (type $s (struct (field i32)))
  (func (export "run") (result i32)
    (struct.get $s 0 (ref.null $s))))
