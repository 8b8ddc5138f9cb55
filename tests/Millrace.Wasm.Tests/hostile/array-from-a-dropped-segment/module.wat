(module
  (type $a (array funcref))
  (elem $e func 0)
  (func (export "run") (elem.drop $e) (drop (array.new_elem $a $e (i32.const 0) (i32.const 1)))))
