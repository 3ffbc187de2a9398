-- Where each sabotage begins: made once, beside the product's database.
create database holdfast_sabotage_template
