(module
  (type $a (array i64))
  (data $d "0123456789")
  (func (export "run") (drop (array.new_data $a $d (i32.const 0) (i32.const 0x20000001)))))
