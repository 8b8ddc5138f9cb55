(module (func (export "run") {{20000|block }}{{20000|end }}))
