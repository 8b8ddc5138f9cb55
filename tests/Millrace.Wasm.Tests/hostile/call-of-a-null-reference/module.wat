(module (type $f (func)) (func (export "run") (call_ref $f (ref.null $f))))
