(module
  (type $a (struct (field (mut i64))))
  (func (export "run") (struct.set $a 0 (ref.null $a) (i64.const 1))))
