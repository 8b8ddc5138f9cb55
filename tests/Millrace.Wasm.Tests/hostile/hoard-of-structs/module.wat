(module
  (type $n (struct (field (ref null $n))))
  (global $kept (mut (ref null $n)) (ref.null $n))
  (func (export "run")
    (loop $more (global.set $kept (struct.new $n (global.get $kept))) (br $more)))
  (func (export "check") (result i32) (global.set $kept (ref.null $n)) (i32.const 5)))
