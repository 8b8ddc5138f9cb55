(module
  (type $a (array (mut anyref)))
  (func (export "run")
    (array.set $a (array.new_default $a (i32.const 3)) (i32.const 3) (ref.null any))))
