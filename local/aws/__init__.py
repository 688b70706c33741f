"""AWS's side of the twin: moto, taught what the template needs. Nothing outside this folder imports moto."""
