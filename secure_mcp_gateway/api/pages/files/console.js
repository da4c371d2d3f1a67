import { $, keyField, show, themeSwitch } from "/assets/common.js";

show($("#end"), keyField(), themeSwitch());
