"""Caption metrics, as the official COCO scripts compute them."""
