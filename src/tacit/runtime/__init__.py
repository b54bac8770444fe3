"""How the network's pass is calculated: engines behind one protocol, export, quantisation."""
