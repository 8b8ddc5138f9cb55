(module
  (type $a (array i8))
  (global (ref $a) (array.new_default $a (i32.const 1000001)))
  (func (export "run")))
